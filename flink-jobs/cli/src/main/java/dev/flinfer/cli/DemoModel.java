package dev.flinfer.cli;

import java.nio.file.Path;

/** The model that comes with the program, for commands that are run without {@code --model}. */
public record DemoModel(Path directory) {
  private static final String DIRECTORY = "deploy/demo-model";
  private static final String HELD_OUT = "held-out.jsonl";

  /** Returns the demo model of the program. */
  public static DemoModel of(Console console) {
    return new DemoModel(console.home().resolve(DIRECTORY));
  }

  /** Returns the checked path of the given model, or of this one if it is null. */
  public Path unless(Path model) {
    return Models.path(model == null ? directory : model);
  }

  /** Returns the file of the tickets that the model was not trained on. */
  public Path heldOut() {
    return directory.resolve(HELD_OUT);
  }
}

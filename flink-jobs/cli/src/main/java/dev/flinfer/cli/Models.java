package dev.flinfer.cli;

import java.nio.file.Files;
import java.nio.file.Path;

/** What {@code --model} names. */
public final class Models {
  private static final String CONFIG = "config.json";

  private Models() {}

  /**
   * The path, if it is a file, such as one of GGUF, or a directory that looks like a checkpoint.
   *
   * @throws UserError if it does not
   */
  public static Path path(Path model) {
    if (Files.isRegularFile(model)) {
      return model;
    }
    if (!Files.isDirectory(model)) {
      throw new UserError(
          "--model %s is not there; it must be a GGUF file or a checkpoint in Hugging Face's layout"
                  .formatted(model)
              + " (config.json, tokenizer.json, *.safetensors)");
    }
    if (!Files.exists(model.resolve(CONFIG))) {
      throw new UserError(
          "--model %s has no config.json; it must be a GGUF file or a checkpoint in Hugging Face's layout"
                  .formatted(model)
              + " (config.json, tokenizer.json, *.safetensors)");
    }
    return model;
  }
}

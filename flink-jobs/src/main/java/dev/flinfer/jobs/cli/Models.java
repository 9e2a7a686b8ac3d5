package dev.flinfer.jobs.cli;

import java.nio.file.Files;
import java.nio.file.Path;

/** Model directories. */
final class Models {
  private static final String CONFIG = "config.json";

  private Models() {}

  /**
   * The directory, if it looks like a checkpoint.
   *
   * @throws UserError if it does not
   */
  static Path directory(Path model) {
    if (!Files.isDirectory(model)) {
      throw new UserError(
          "--model %s is not a directory; it must be a checkpoint in Hugging Face's layout"
                  .formatted(model)
              + " (config.json, tokenizer.json, *.safetensors)");
    }
    if (!Files.exists(model.resolve(CONFIG))) {
      throw new UserError(
          "--model %s has no config.json; it must be a checkpoint in Hugging Face's layout"
                  .formatted(model)
              + " (config.json, tokenizer.json, *.safetensors)");
    }
    return model;
  }
}

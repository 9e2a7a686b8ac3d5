package dev.flinfer.cli;

import java.nio.file.Files;
import java.nio.file.Path;

/** Describes and checks the path given as {@code --model}. */
public final class Models {
  /** The help of the option. */
  public static final String DESCRIPTION =
      "GGUF file, or model directory in Hugging Face's layout.";

  private static final String CONFIG = "config.json";

  private Models() {}

  /**
   * Returns the path if it is a file, such as a GGUF file, or a directory that looks like a model.
   *
   * @throws UserError if it is neither
   */
  public static Path path(Path model) {
    if (Files.isRegularFile(model)) {
      return model;
    }
    if (!Files.isDirectory(model)) {
      throw new UserError(
          "--model %s does not exist; it must be a GGUF file or a model directory in Hugging Face's"
                  .formatted(model)
              + " layout (config.json, tokenizer.json, *.safetensors)");
    }
    if (!Files.exists(model.resolve(CONFIG))) {
      throw new UserError(
          "--model %s has no config.json; it must be a GGUF file or a model directory in Hugging"
                  .formatted(model)
              + " Face's layout (config.json, tokenizer.json, *.safetensors)");
    }
    return model;
  }
}

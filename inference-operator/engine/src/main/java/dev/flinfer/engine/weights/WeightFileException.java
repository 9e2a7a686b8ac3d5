package dev.flinfer.engine.weights;

import java.nio.file.Path;

/** A file of a checkpoint cannot be used. The message names the file, the place in it and why. */
public final class WeightFileException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public WeightFileException(Path file, String message) {
    super(file + ": " + message);
  }

  public WeightFileException(Path file, String message, Throwable cause) {
    super(file + ": " + message, cause);
  }
}

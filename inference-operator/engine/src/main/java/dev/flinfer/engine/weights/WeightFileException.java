package dev.flinfer.engine.weights;

import java.nio.file.Path;

/** A file of a model cannot be used. The message names the file, the place in it and the reason. */
public final class WeightFileException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** A name in a file may be megabytes long, and messages are written to logs. */
  private static final int MAX_MESSAGE = 1000;

  public WeightFileException(Path file, String message) {
    super(file + ": " + shorten(message));
  }

  public WeightFileException(Path file, String message, Throwable cause) {
    super(file + ": " + shorten(message), cause);
  }

  private static String shorten(String message) {
    return message.length() <= MAX_MESSAGE ? message : message.substring(0, MAX_MESSAGE) + "...";
  }
}

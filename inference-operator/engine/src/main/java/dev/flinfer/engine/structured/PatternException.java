package dev.flinfer.engine.structured;

/** A pattern or a schema that is invalid or not supported; the message names the place or limit. */
public final class PatternException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  PatternException(String message) {
    super(message);
  }
}

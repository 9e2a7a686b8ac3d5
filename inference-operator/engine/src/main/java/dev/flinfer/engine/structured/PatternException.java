package dev.flinfer.engine.structured;

/** A pattern or a schema that cannot be served; the message names the place and the limit. */
public final class PatternException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  PatternException(String message) {
    super(message);
  }
}

package dev.flinfer.engine;

/**
 * A request asks for something that cannot be done. The message names the field, its value and the
 * limit.
 */
public final class InvalidRequestException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public InvalidRequestException(String message) {
    super(message);
  }

  public InvalidRequestException(String message, Throwable cause) {
    super(message, cause);
  }
}

package dev.flinfer.engine;

/**
 * An option has a value that it must not have, alone or beside another option. The message names
 * the option as it was given, its value and the limit; the files and devices of the machine have no
 * part in it.
 */
public final class InvalidOptionException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  public InvalidOptionException(String message) {
    super(message);
  }

  public InvalidOptionException(String message, Throwable cause) {
    super(message, cause);
  }
}

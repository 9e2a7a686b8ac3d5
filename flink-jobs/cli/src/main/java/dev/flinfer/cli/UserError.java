package dev.flinfer.cli;

/** Something that the user can mend: the message is all they need, a stack trace is not. */
public final class UserError extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public UserError(String message) {
    super(message);
  }

  public UserError(String message, Throwable cause) {
    super(message, cause);
  }
}

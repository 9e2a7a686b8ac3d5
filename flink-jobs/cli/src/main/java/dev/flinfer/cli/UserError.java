package dev.flinfer.cli;

/** An error that the user can fix: the message is enough, and no stack trace is printed. */
public class UserError extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public UserError(String message) {
    super(message);
  }

  public UserError(String message, Throwable cause) {
    super(message, cause);
  }
}

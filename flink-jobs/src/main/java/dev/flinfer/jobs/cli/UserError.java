package dev.flinfer.jobs.cli;

/** Something that the user can mend: the message is all they need, a stack trace is not. */
final class UserError extends RuntimeException {
  private static final long serialVersionUID = 1L;

  UserError(String message) {
    super(message);
  }

  UserError(String message, Throwable cause) {
    super(message, cause);
  }
}

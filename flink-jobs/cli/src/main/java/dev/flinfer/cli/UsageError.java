package dev.flinfer.cli;

/** A command line that can never work, such as options that contradict each other. */
public final class UsageError extends UserError {
  private static final long serialVersionUID = 1L;

  public UsageError(String message) {
    super(message);
  }
}

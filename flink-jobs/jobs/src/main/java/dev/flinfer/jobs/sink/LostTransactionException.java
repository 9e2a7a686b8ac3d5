package dev.flinfer.jobs.sink;

/** Output of a complete checkpoint is missing from its topic. */
final class LostTransactionException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  LostTransactionException(String message, Throwable cause) {
    super(message, cause);
  }
}

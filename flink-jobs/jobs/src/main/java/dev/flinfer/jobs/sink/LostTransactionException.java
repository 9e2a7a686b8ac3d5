package dev.flinfer.jobs.sink;

/** Output whose checkpoint is complete is not in its topic. */
final class LostTransactionException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  LostTransactionException(String message, Throwable cause) {
    super(message, cause);
  }
}

package dev.flinfer.jobs.sink;

/**
 * Output of a complete checkpoint is missing from its topic. Kafka's exception is suppressed, not
 * the cause, because the message of the last cause is shown.
 */
final class LostTransactionException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  LostTransactionException(String message, Throwable refusal) {
    super(message);
    addSuppressed(refusal);
  }
}

package dev.flinfer.jobs.failure;

/**
 * A failure of Kafka with a message that says what to do. Kafka's own exception is suppressed, not
 * the cause, because Flink and the command line show the message of the last cause.
 */
public final class KafkaFailure extends RuntimeException {
  private static final long serialVersionUID = 1L;

  KafkaFailure(String message, Throwable failure) {
    super(message);
    addSuppressed(failure);
  }
}

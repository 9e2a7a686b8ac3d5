package dev.flinfer.engine;

/**
 * A failure of this one request, while others succeed: the forward pass or the host's work fails on
 * it, or the process ended repeatedly while it was admitted. The cause is the last failure.
 */
public final class RequestFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int attempts;

  /**
   * @param attempts failures of only this request; 0 if it was not tried again
   */
  public RequestFailedException(String message, int attempts, Throwable cause) {
    super(message, cause);
    this.attempts = attempts;
  }

  /** Failures of only this request; 0 if it was not tried again. */
  public int attempts() {
    return attempts;
  }
}

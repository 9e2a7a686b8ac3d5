package dev.flinfer.engine;

/**
 * The forward pass fails on this one request, while the device still computes others. The cause is
 * the last failure.
 */
public final class RequestFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int attempts;

  /**
   * @param attempts failed forward passes over only this request; 0 if it was not tried again
   */
  public RequestFailedException(String message, int attempts, Throwable cause) {
    super(message, cause);
    this.attempts = attempts;
  }

  /** Failed forward passes over only this request; 0 if it was not tried again. */
  public int attempts() {
    return attempts;
  }
}

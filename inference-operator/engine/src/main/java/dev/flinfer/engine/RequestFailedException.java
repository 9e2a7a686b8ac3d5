package dev.flinfer.engine;

/**
 * The forward pass fails on this one request, while the device goes on with others. The cause is
 * what it failed with last.
 */
public final class RequestFailedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int attempts;

  /**
   * @param attempts forward passes over the request alone that failed; 0 where it was not tried
   *     again
   */
  public RequestFailedException(String message, int attempts, Throwable cause) {
    super(message, cause);
    this.attempts = attempts;
  }

  /** Forward passes over the request alone that failed; 0 where it was not tried again. */
  public int attempts() {
    return attempts;
  }
}

package dev.flinfer.engine;

import dev.flinfer.schema.Completion;

/**
 * Receives the tokens and the outcome of one request. Called on the engine's thread; must return
 * quickly and not throw.
 */
public interface GenerationListener {

  /**
   * Whether {@link #onToken} is to be called. If not, the text is decoded once, at the end, and not
   * in pieces. Must always return the same value.
   */
  default boolean streams() {
    return true;
  }

  /**
   * A token was generated; for a request with {@code n} above 1, a token of its first output.
   *
   * @param token its id
   * @param text the text that it adds, in whole characters; often empty
   */
  default void onToken(int token, String text) {}

  /** The request is finished. */
  void onCompletion(Completion completion);

  /**
   * How many forward passes over only this request may fail before it is rejected; the count starts
   * again when the request generates another token. At least 1.
   */
  default int maxAttempts() {
    return 3;
  }

  /** The forward pass fails on this request and not on others: the request is rejected. */
  default void onRequestFailed(RequestFailedException failure) {
    onFailure(new EngineException(failure.getMessage(), failure));
  }

  /** The engine failed and will not finish this request. */
  void onFailure(EngineException failure);

  /** The engine was closed before the request was finished. */
  default void onClose(EngineException closed) {}
}

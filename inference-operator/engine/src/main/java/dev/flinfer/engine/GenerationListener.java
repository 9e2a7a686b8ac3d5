package dev.flinfer.engine;

import dev.flinfer.schema.Completion;

/**
 * Receives the tokens and the outcome of one request. Called on the engine's thread, except where a
 * method says otherwise; must return quickly and not throw.
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

  /**
   * The request's pattern is about to be compiled. Called on the thread that compiles, and only for
   * the request that needs the pattern first: others wait for the same result.
   */
  default void onCompileStart() {}

  /**
   * The compilation has ended. Called on the thread that compiles.
   *
   * @param error that is not the pattern's, such as a missing class; null if the pattern is
   *     compiled or rejected
   */
  default void onCompileEnd(Error error) {}

  /** The request's pattern cannot be compiled: the request is rejected. */
  default void onInvalid(InvalidRequestException why) {
    onFailure(new EngineException(why.getMessage(), why));
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

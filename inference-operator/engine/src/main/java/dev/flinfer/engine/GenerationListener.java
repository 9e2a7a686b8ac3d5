package dev.flinfer.engine;

import dev.flinfer.schema.Completion;

/** Hears of one request. Called on the engine's thread: must return quickly and not throw. */
public interface GenerationListener {

  /**
   * Whether it wants to hear of tokens. Where it does not, the text is made once, at the end, and
   * not in pieces. Always the same.
   */
  default boolean streams() {
    return true;
  }

  /**
   * A token was generated; for a request with n above 1, one of its first output.
   *
   * @param token its id
   * @param text what it adds to the text, in whole characters; often empty
   */
  default void onToken(int token, String text) {}

  /** The request is finished. */
  void onCompletion(Completion completion);

  /**
   * How many forward passes over this request alone may fail before it is given up; one that gets a
   * token further starts anew. At least 1.
   */
  default int maxAttempts() {
    return 3;
  }

  /** The forward pass fails on this request and not on others: it is given up. */
  default void onRequestFailed(RequestFailedException failure) {
    onFailure(new EngineException(failure.getMessage(), failure));
  }

  /** The engine failed and will not finish this request. */
  void onFailure(EngineException failure);

  /** The engine was closed before the request was finished. */
  default void onClose(EngineException closed) {}
}

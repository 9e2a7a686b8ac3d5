package dev.flinfer.engine;

import dev.flinfer.schema.Completion;

/** Hears of one request. Called on the engine's thread: must return quickly and not throw. */
public interface GenerationListener {

  /**
   * A token was generated; for a request with n above 1, one of its first output.
   *
   * @param token its id
   * @param text what it adds to the text, in whole characters; often empty
   */
  default void onToken(int token, String text) {}

  /** The request is finished. */
  void onCompletion(Completion completion);

  /** The engine failed and will not finish this request. */
  void onFailure(EngineException failure);

  /** The engine was closed before the request was finished. */
  default void onClose(EngineException closed) {}
}

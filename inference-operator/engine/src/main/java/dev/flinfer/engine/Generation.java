package dev.flinfer.engine;

/** A request in the engine. Thread-safe. */
public interface Generation {

  /**
   * Returns a consistent copy of the tokens generated so far, without waiting for the device.
   * Submitting the request again with this copy continues at the same position with the same
   * outcome.
   */
  GeneratedTokens progress();

  /** The number of tokens of its prompt. */
  int promptTokens();

  /** Takes the request out of the engine; its listener is not called again. */
  void cancel();
}

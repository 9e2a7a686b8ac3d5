package dev.flinfer.engine;

/** A request in the engine. Thread-safe. */
public interface Generation {

  /**
   * The tokens generated so far: a consistent copy, taken without waiting for the device.
   * Submitting the request again with it continues at the same position with the same outcome.
   */
  GeneratedTokens progress();

  /** Tokens of its prompt. */
  int promptTokens();

  /** Takes the request out of the engine; its listener hears nothing more. */
  void cancel();
}

package dev.flinfer.engine;

import dev.flinfer.schema.CompletionRequest;

/**
 * Completes prompts. Requests are batched continuously: one owner thread runs one forward pass
 * after the other, over all sequences that are in the engine at that moment.
 *
 * <p>A request's tokens and log-probabilities are bit-identical whatever else is in its batch,
 * however its prompt was chunked and whether its prefix came from the cache.
 *
 * <p>Thread-safe.
 */
public interface LlmEngine extends AutoCloseable {

  /** Opens an engine of its own; the caller closes it. */
  static LlmEngine open(EngineOptions options) {
    return EngineFactory.open(options);
  }

  /**
   * Checks the request, tokenizes its prompt and queues it; never waits for the device.
   *
   * @param request with its id set
   * @param resumeFrom tokens that an earlier engine generated for the same request; generation goes
   *     on behind them, or from the start with the same outcome where they lack log-probabilities
   *     that the request asks for. {@link GeneratedTokens#NONE} for a new request
   * @param listener is told the outcome, exactly once, unless the generation is cancelled
   * @throws InvalidRequestException if the request asks for what cannot be done
   * @throws EngineException if the engine is closed or its device failed
   */
  Generation submit(
      CompletionRequest request, GeneratedTokens resumeFrom, GenerationListener listener);

  /** What the engine runs and where. */
  ModelInfo model();

  /** Counters and gauges as of the last forward pass; cheap. */
  EngineStats stats();

  /** Whether its device failed: such an engine takes no more requests. */
  boolean failed();

  /** Drops all generations without telling their listeners and frees the device. */
  @Override
  void close();
}

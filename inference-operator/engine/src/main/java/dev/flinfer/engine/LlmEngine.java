package dev.flinfer.engine;

import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * Completes prompts. Requests are batched continuously: one owner thread runs one forward pass
 * after the other, over all sequences that are in the engine at that moment.
 *
 * <p>A forward pass that throws is tried again request by request, and only the request that it
 * fails on is given up. Where it fails on everything the engine fails.
 *
 * <p>A request's tokens and log-probabilities are bit-identical whatever else is in its batch,
 * however its prompt was chunked and whether its prefix came from the cache.
 *
 * <p>Thread-safe.
 */
public interface LlmEngine extends AutoCloseable {

  /** Opens an engine of its own; the caller closes it. */
  static LlmEngine open(EngineOptions options) {
    return EngineProvider.find().open(options);
  }

  /**
   * Opens the engine of a model around a forward pass that computes nothing and takes no time, so
   * that what is around it can be measured: the logits are the same at every position. Reads no
   * weights; the device is of no account. The caller closes it.
   */
  static LlmEngine openFree(EngineOptions options) {
    return EngineProvider.find().openFree(options);
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

  /**
   * As above, for a new request.
   *
   * @return the completion; exceptionally a {@link RequestFailedException} if the forward pass
   *     fails on this request alone, an {@link EngineException} if the engine fails or is closed
   *     before. Its {@code toCompletableFuture().cancel} takes the request out of the engine. What
   *     depends on it runs on the engine's thread, so for longer work use its methods that end in
   *     {@code Async}
   */
  default CompletionStage<Completion> submit(CompletionRequest request) {
    return submit(request, text -> {});
  }

  /**
   * As above, with the text while it is generated.
   *
   * @param onText gets the text in pieces, whole characters, before the stage completes; together
   *     they are the completion's text. Called on the engine's thread: must return quickly. If it
   *     throws, the stage completes with what it threw and the request ends
   */
  default CompletionStage<Completion> submit(CompletionRequest request, Consumer<String> onText) {
    return CompletionFuture.submit(this, request, onText);
  }

  /** What the engine runs and where. */
  ModelInfo model();

  /** Counters and gauges as of the last forward pass; cheap. */
  EngineStats stats();

  /** Whether its device failed: such an engine takes no more requests. */
  boolean failed();

  /**
   * Drops all generations and frees the device; returns when that is done. Listeners hear {@link
   * GenerationListener#onClose}, which does nothing unless they override it.
   */
  @Override
  void close();
}

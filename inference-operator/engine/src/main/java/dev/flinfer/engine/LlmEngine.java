package dev.flinfer.engine;

import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * Completes prompts. Requests are batched continuously: one owner thread runs consecutive forward
 * passes, each over all sequences that are in the engine at that moment.
 *
 * <p>When a forward pass throws, its requests are tried again one at a time, and only the request
 * that it fails on is rejected. If it fails on every input, the engine fails.
 *
 * <p>A request's tokens and log-probabilities are bit-identical whatever else is in its batch,
 * however its prompt was chunked and whether its prefix came from the cache.
 *
 * <p>Thread-safe.
 */
public interface LlmEngine extends AutoCloseable {

  /** Opens an engine that is not shared; the caller closes it. */
  static LlmEngine open(EngineOptions options) {
    return EngineProvider.find().open(options);
  }

  /**
   * Opens the engine of a model with a forward pass that computes nothing and takes no time, so
   * that everything else can be measured: the logits are the same at every position. Reads no
   * weights and ignores the device. The caller closes the engine.
   */
  static LlmEngine openFree(EngineOptions options) {
    return EngineProvider.find().openFree(options);
  }

  /**
   * Checks the request, tokenizes its prompt and queues it. Never waits for the device, and not for
   * a pattern to be compiled: {@link GenerationListener#onInvalid} rejects one that is invalid.
   *
   * @param request the request, with its id set
   * @param resumeFrom tokens that an earlier engine generated for the same request; generation
   *     continues after them, or starts over with the same outcome if they lack log-probabilities
   *     that the request asks for. {@link GeneratedTokens#NONE} for a new request
   * @param listener is notified of the outcome, exactly once, unless the generation is cancelled
   * @throws InvalidRequestException if the request asks for something that cannot be done
   * @throws EngineException if the engine is closed or its device failed
   */
  Generation submit(
      CompletionRequest request, GeneratedTokens resumeFrom, GenerationListener listener);

  /**
   * Submits a new request.
   *
   * @return the completion. The stage fails with an {@link InvalidRequestException} if the
   *     request's pattern is invalid, with a {@link RequestFailedException} if the forward pass
   *     fails on this request only, and with an {@link EngineException} if the engine fails or is
   *     closed first. Its {@code toCompletableFuture().cancel} takes the request out of the engine.
   *     Dependent stages run on the engine's thread, so use the methods that end in {@code Async}
   *     for longer work
   */
  default CompletionStage<Completion> submit(CompletionRequest request) {
    return submit(request, text -> {});
  }

  /**
   * Submits a new request and streams its text while it is generated.
   *
   * @param onText receives the text in pieces of whole characters before the stage completes;
   *     concatenated they are the completion's text. It is called on the engine's thread and must
   *     return quickly. If it throws, the stage fails with that exception and the request ends
   */
  default CompletionStage<Completion> submit(CompletionRequest request, Consumer<String> onText) {
    return CompletionFuture.submit(this, request, onText);
  }

  /** The model that the engine runs, and its device. */
  ModelInfo model();

  /** Counters and gauges as of the last forward pass. Cheap. */
  EngineStats stats();

  /** Whether the device failed: such an engine accepts no more requests. */
  boolean failed();

  /**
   * Drops all generations and frees the device; returns when that is done. Calls {@link
   * GenerationListener#onClose} of the listeners, which does nothing unless they override it.
   */
  @Override
  void close();
}

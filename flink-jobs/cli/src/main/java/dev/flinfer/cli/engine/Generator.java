package dev.flinfer.cli.engine;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.tokenizer.Tokenizer;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Submits requests to an engine, enough at a time that it can batch them, and passes the
 * completions on in the order of the requests. Not thread-safe.
 */
final class Generator {
  /** Far more than any batch, and far too few to fill the heap. */
  static final int MAX_IN_FLIGHT = 2048;

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Pending(
      int[] promptTokens,
      CompletableFuture<Completion> completion,
      Consumer<InvalidRequestException> onInvalid) {}

  private final LlmEngine engine;
  private final Tokenizer tokenizer;
  private final Consumer<Answer> sink;
  private final Queue<Pending> pending = new ArrayDeque<>();
  private long answered;

  /**
   * @param sink receives the completions, on the caller's thread
   */
  Generator(LlmEngine engine, Tokenizer tokenizer, Consumer<Answer> sink) {
    this.engine = engine;
    this.tokenizer = tokenizer;
    this.sink = sink;
  }

  /**
   * Submits a request and passes on finished completions. Waits while too many requests are in
   * flight.
   *
   * @param onInvalid receives the reason if the request is invalid, now or when its turn comes; the
   *     others are not affected
   * @throws EngineException if the engine failed
   */
  void submit(CompletionRequest request, Consumer<InvalidRequestException> onInvalid) {
    try {
      tokenize(request);
      CompletableFuture<Completion> completion = engine.submit(request).toCompletableFuture();
      pending.add(new Pending(promptTokens(request), completion, onInvalid));
    } catch (InvalidRequestException e) {
      onInvalid.accept(e);
    }
    while (pending.size() >= MAX_IN_FLIGHT || headIsDone()) {
      handOnHead();
    }
  }

  /** Waits for the next outcome and passes it on; returns false if there is none. */
  boolean next() {
    if (pending.isEmpty()) {
      return false;
    }
    handOnHead();
    return true;
  }

  /** Number of completions passed on so far. */
  long answered() {
    return answered;
  }

  /** Replaces the prompt by its token ids. A missing prompt is left for the engine to reject. */
  private void tokenize(CompletionRequest request) {
    String prompt = request.getPrompt();
    if (prompt == null || prompt.isEmpty() || request.getPromptTokenIds() != null) {
      return;
    }
    request.setPromptTokenIds(IntStream.of(tokenizer.encode(prompt)).boxed().toList());
    request.setPrompt(null);
  }

  private static int[] promptTokens(CompletionRequest request) {
    List<Integer> ids = request.getPromptTokenIds();
    return ids == null ? new int[0] : ids.stream().mapToInt(Integer::intValue).toArray();
  }

  private boolean headIsDone() {
    Pending head = pending.peek();
    return head != null && head.completion.isDone();
  }

  private void handOnHead() {
    Pending head = pending.remove();
    Completion completion;
    try {
      completion = head.completion.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof InvalidRequestException invalid) {
        head.onInvalid.accept(invalid);
        return;
      }
      throw e.getCause() instanceof EngineException failure ? failure : e;
    }
    sink.accept(new Answer(head.promptTokens, completion));
    answered++;
  }
}

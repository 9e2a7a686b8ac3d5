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
 * Puts requests into an engine, so many at a time that it can batch them, and hands the answers on
 * in the order of the requests. Not thread-safe.
 */
final class Generator {
  /** Far more than any batch, far less than what fills the heap. */
  static final int MAX_IN_FLIGHT = 2048;

  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Pending(int[] promptTokens, CompletableFuture<Completion> completion) {}

  private final LlmEngine engine;
  private final Tokenizer tokenizer;
  private final Consumer<Answer> sink;
  private final Queue<Pending> pending = new ArrayDeque<>();
  private long answered;

  /**
   * @param sink gets the answers, on the caller's thread
   */
  Generator(LlmEngine engine, Tokenizer tokenizer, Consumer<Answer> sink) {
    this.engine = engine;
    this.tokenizer = tokenizer;
    this.sink = sink;
  }

  /**
   * Submits a request, and hands on what is finished. Waits where too many are under way.
   *
   * @throws InvalidRequestException if the request asks for what cannot be done; the others go on
   * @throws EngineException if the engine failed
   */
  void submit(CompletionRequest request) {
    tokenize(request);
    int[] promptTokens = promptTokens(request);
    pending.add(new Pending(promptTokens, engine.submit(request).toCompletableFuture()));
    while (pending.size() >= MAX_IN_FLIGHT || headIsDone()) {
      handOnHead();
    }
  }

  /** Hands on the next answer, waiting for it. */
  boolean next() {
    if (pending.isEmpty()) {
      return false;
    }
    handOnHead();
    return true;
  }

  /** Answers handed on so far. */
  long answered() {
    return answered;
  }

  /** The engine's own check speaks of a text that is missing, so such a request goes as it is. */
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
    try {
      sink.accept(new Answer(head.promptTokens, head.completion.join()));
    } catch (CompletionException e) {
      throw e.getCause() instanceof EngineException failure ? failure : e;
    }
    answered++;
  }
}

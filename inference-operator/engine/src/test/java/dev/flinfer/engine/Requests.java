package dev.flinfer.engine;

import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.util.concurrent.CompletableFuture;

/** Requests for tests. */
public final class Requests {
  private Requests() {}

  /** A greedy request for a number of tokens. */
  public static CompletionRequest.Builder greedy(String id, String prompt, int maxTokens) {
    return CompletionRequest.newBuilder()
        .setId(id)
        .setPrompt(prompt)
        .setMaxTokens(maxTokens)
        .setTemperature(0);
  }

  /** Submits a request; the future holds its outcome. */
  public static CompletableFuture<Completion> submit(
      LlmEngine engine, CompletionRequest request, GeneratedTokens resumeFrom) {
    CompletableFuture<Completion> done = new CompletableFuture<>();
    engine.submit(request, resumeFrom, new FutureListener(done));
    return done;
  }

  /** Completes a future. */
  public static class FutureListener implements GenerationListener {
    private final CompletableFuture<Completion> done;

    public FutureListener(CompletableFuture<Completion> done) {
      this.done = done;
    }

    @Override
    public void onCompletion(Completion completion) {
      done.complete(completion);
    }

    @Override
    public void onFailure(EngineException failure) {
      done.completeExceptionally(failure);
    }
  }
}

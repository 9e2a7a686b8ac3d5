package dev.flinfer.engine;

import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
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

  /** A request that draws on all parameters, for a model with at least 300 tokens. */
  static CompletionRequest random(Random random, String id) {
    StringBuilder prompt =
        new StringBuilder(random.nextBoolean() ? "a shared prefix of some length " : "");
    int length = 1 + random.nextInt(40);
    for (int i = 0; i < length; i++) {
      prompt.append((char) ('a' + random.nextInt(26)));
    }
    int maxTokens = 1 + random.nextInt(24);
    CompletionRequest.Builder request =
        CompletionRequest.newBuilder()
            .setId(id)
            .setPrompt(prompt.toString())
            .setMaxTokens(maxTokens)
            .setTemperature(random.nextInt(3) * 0.7)
            .setTopP(random.nextBoolean() ? 1 : 0.9)
            .setTopK(random.nextBoolean() ? 0 : 20)
            .setMinP(random.nextBoolean() ? 0 : 0.1)
            .setLogprobs(random.nextInt(4));
    if (request.getTemperature() > 0 && random.nextInt(4) == 0) {
      request.setN(2 + random.nextInt(3));
    }
    if (random.nextBoolean()) {
      request
          .setPresencePenalty(random.nextGaussian() / 4)
          .setFrequencyPenalty(random.nextInt(3) * 0.5)
          .setRepetitionPenalty(random.nextBoolean() ? 1 : 1.3);
    }
    if (random.nextBoolean()) {
      request
          .setMinTokens(random.nextInt(maxTokens + 1))
          .setStopTokenIds(List.of(random.nextInt(300), random.nextInt(300)))
          .setStop(List.of(Character.toString((char) ('a' + random.nextInt(26)))))
          .setIncludeStopStrInOutput(random.nextBoolean())
          .setIgnoreEos(random.nextBoolean())
          .setLogitBias(Map.of(Integer.toString(random.nextInt(300)), 4 * random.nextGaussian()));
    }
    return request.build();
  }

  /** The first of some generated tokens. */
  static GeneratedTokens first(GeneratedTokens whole, int count) {
    int alternatives =
        whole.tokens().length == 0 ? 0 : whole.topTokens().length / whole.tokens().length;
    return new GeneratedTokens(
        Arrays.copyOf(whole.tokens(), count),
        Arrays.copyOf(whole.logprobs(), Math.min(count, whole.logprobs().length)),
        Arrays.copyOf(whole.topTokens(), count * alternatives),
        Arrays.copyOf(whole.topLogprobs(), count * alternatives));
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

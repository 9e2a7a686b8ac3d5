package dev.flinfer.engine;

import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.StructuredOutputs;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/** Requests for tests. */
public final class Requests {
  /** Distinct first tokens; shared first tokens; a label that starts another; non-ASCII labels. */
  private static final List<List<String>> LABELS =
      List.of(
          List.of("a", "b", "c"),
          List.of("sport", "space", "spain", "art"),
          List.of("ab", "abc", "a", "abcde", "b"),
          List.of("größe", "grün", "日本", "😀"));

  private static final List<String> METHODS =
      List.of(
          "token_length_normalized",
          "greedy_token_selection",
          "unconditional_likelihood_normalized");

  private static final List<StructuredOutputs> PATTERNS =
      List.of(
          new StructuredOutputs("(yes|no|größe), \\d{3}", null),
          new StructuredOutputs("[a-m]+(é|日)*", null),
          new StructuredOutputs(
              null,
              "{\"type\":\"object\",\"properties\":{\"l\":{\"enum\":[\"bug\",7]},"
                  + "\"n\":{\"type\":\"integer\"}},\"required\":[\"l\",\"n\"]}"));

  private Requests() {}

  /** A greedy request for a number of tokens. */
  public static CompletionRequest.Builder greedy(String id, String prompt, int maxTokens) {
    return CompletionRequest.newBuilder()
        .setId(id)
        .setPrompt(prompt)
        .setMaxTokens(maxTokens)
        .setTemperature(0);
  }

  /** A random request that uses all parameters, for a model with at least 300 tokens. */
  public static CompletionRequest random(Random random, String id) {
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

  /** A random request of any kind: free text, structured output, or a choice between labels. */
  public static CompletionRequest ofAnyKind(Random random, String id) {
    CompletionRequest request = random(random, id);
    int kind = random.nextInt(5);
    if (kind == 0) {
      return greedy(id, request.getPrompt(), 1)
          .setPriority(random.nextInt(3))
          .setChoices(LABELS.get(random.nextInt(LABELS.size())))
          .setChoicesMethod(METHODS.get(random.nextInt(METHODS.size())))
          .build();
    }
    CompletionRequest.Builder builder =
        CompletionRequest.newBuilder(request).setPriority(random.nextInt(3));
    if (kind == 1) {
      builder
          .setStructuredOutputs(PATTERNS.get(random.nextInt(PATTERNS.size())))
          .setStop(List.of())
          .setStopTokenIds(List.of())
          .setIncludeStopStrInOutput(false)
          .setIgnoreEos(false)
          .setMinTokens(0)
          .setN(request.getTemperature() > 0 ? 2 : 1);
    }
    return builder.build();
  }

  /** Returns the parts of a completion that must not depend on when and with what it ran. */
  public static Completion bits(Completion completion) {
    return Completion.newBuilder(completion)
        .setCachedTokens(0)
        .setQueueTimeMs(0)
        .setTimeToFirstTokenMs(0)
        .setLatencyMs(0)
        .build();
  }

  /** The first tokens of generated ones. */
  public static GeneratedTokens first(GeneratedTokens whole, int count) {
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

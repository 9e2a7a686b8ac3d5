package dev.flinfer.engine.batching;

import static dev.flinfer.engine.EngineOption.DEVICE;
import static dev.flinfer.engine.EngineOption.KV_CACHE_MEMORY;
import static dev.flinfer.engine.EngineOption.MAX_MODEL_LEN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.Generation;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.Requests;
import dev.flinfer.engine.TestOptions;
import dev.flinfer.engine.device.NaivePhi;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.FinishReason;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The engine with the CPU backend on a small random model. */
final class LlmEngineTest {
  private static final RandomCheckpoint.Shape SHAPE =
      new RandomCheckpoint.Shape(48, 4, 2, 96, 300, 96, 0.5);

  @TempDir static Path directory;
  private static RandomCheckpoint checkpoint;

  @BeforeAll
  static void write() {
    checkpoint = RandomCheckpoint.write(directory.resolve("tiny"), SHAPE, DType.F16, 11);
  }

  @Test
  void greedyTokensAreThoseOfTheFormulas() throws Exception {
    NaivePhi oracle = new NaivePhi(checkpoint);
    try (LlmEngine engine = LlmEngine.open(options(8, 64, 0))) {
      for (String prompt : List.of("a", "hello there", "x".repeat(40))) {
        Completion completion =
            get(engine, Requests.greedy(prompt, prompt, 20).setLogprobs(1).build());

        List<Integer> tokens = new ArrayList<>();
        prompt.chars().forEach(tokens::add);
        for (int i = 0; i < completion.getCompletionTokens(); i++) {
          double[][] all = oracle.logits(tokens.stream().mapToInt(t -> t).toArray());
          double[] logits = all[all.length - 1];
          int token = completion.getTokenIds().get(i);
          double max = Double.NEGATIVE_INFINITY;
          double sum = 0;
          for (double logit : logits) {
            max = Math.max(max, logit);
            sum += Math.exp(logit);
          }
          assertThat(logits[token]).as("token %d of '%s'", i, prompt).isGreaterThan(max - 1e-3);
          assertThat((double) completion.getLogprobs().get(i))
              .isCloseTo(logits[token] - Math.log(sum), within(1e-3));
          tokens.add(token);
        }
      }
    }
  }

  @Test
  void aGenerationContinuesWhereItStopped() throws Exception {
    Random random = new Random(4);
    try (LlmEngine engine = LlmEngine.open(options(8, 64, 2))) {
      for (int i = 0; i < 20; i++) {
        CompletionRequest request = Requests.random(random, "r" + i);
        Completion whole = get(engine, request);
        // From no token to all tokens.
        int done = random.nextInt(whole.getTokenIds().size() + 1);
        GeneratedTokens half = Requests.first(GeneratedTokens.of(whole), done);

        same(
            Requests.submit(engine, request, half).get(60, TimeUnit.SECONDS),
            whole,
            "from " + done);
      }
    }
  }

  @Test
  void stopStringsAndLengthEndATextAndAreItsFinishReason() throws Exception {
    try (LlmEngine engine = LlmEngine.open(options(8, 64, 2))) {
      Completion free = get(engine, Requests.greedy("a", "some prompt", 12).build());
      assertThat(free.getFinishReason()).isEqualTo(FinishReason.LENGTH);
      assertThat(free.getCompletionTokens()).isEqualTo(12);
      String stop = free.getText().substring(3, 5);

      Completion stopped =
          get(engine, Requests.greedy("b", "some prompt", 12).setStop(List.of(stop)).build());

      assertThat(stopped.getFinishReason()).isEqualTo(FinishReason.STOP);
      assertThat(stopped.getText())
          .isEqualTo(free.getText().substring(0, free.getText().indexOf(stop)));
    }
  }

  @Test
  void theContextEndsAText() throws Exception {
    try (LlmEngine engine = LlmEngine.open(options(8, 64, 2))) {
      CompletionRequest request =
          Requests.greedy("a", "x".repeat(SHAPE.context() - 3), 50).setSeed(1L).build();
      Completion completion = get(engine, request);

      assertThat(completion.getFinishReason()).isEqualTo(FinishReason.LENGTH);
      assertThat(completion.getPromptTokens() + completion.getCompletionTokens())
          .isEqualTo(SHAPE.context());
    }
  }

  @Test
  void aSecondPromptWithTheSamePrefixTakesItFromTheCache() throws Exception {
    try (LlmEngine engine = LlmEngine.open(options(8, 64, 2))) {
      String prefix = "p".repeat(50);
      assertThat(get(engine, Requests.greedy("a", prefix + "a", 4).build()).getCachedTokens())
          .isZero();
      assertThat(get(engine, Requests.greedy("b", prefix + "b", 4).build()).getCachedTokens())
          .isEqualTo(48);
      assertThat(engine.stats().prefixCacheHits()).isEqualTo(3);
      assertThat(engine.stats().kvBlocksUsed()).isZero();
    }
  }

  @Test
  void streamedTextIsTheText() throws Exception {
    try (LlmEngine engine = LlmEngine.open(options(8, 64, 2))) {
      StringBuilder streamed = new StringBuilder();
      List<Integer> tokens = new ArrayList<>();
      CompletableFuture<Completion> done = new CompletableFuture<>();
      engine.submit(
          Requests.greedy("a", "stream", 25).setTemperature(1).setStop(List.of("never")).build(),
          GeneratedTokens.NONE,
          new Requests.FutureListener(done) {
            @Override
            public void onToken(int token, String text) {
              tokens.add(token);
              streamed.append(text);
            }
          });
      Completion completion = done.get(60, TimeUnit.SECONDS);

      assertThat(streamed).hasToString(completion.getText());
      assertThat(tokens).isEqualTo(completion.getTokenIds());
    }
  }

  @Test
  void aPassedDeadlineEndsARequest() throws Exception {
    try (LlmEngine engine = LlmEngine.open(options(8, 64, 2))) {
      Completion late = get(engine, Requests.greedy("a", "late", 50).setDeadline(1L).build());

      assertThat(late.getFinishReason()).isEqualTo(FinishReason.DEADLINE);
      assertThat(late.getCompletionTokens()).isZero();
    }
  }

  @Test
  void theListenerOfACancelledRequestIsNotCalledAgain() throws Exception {
    try (LlmEngine engine = LlmEngine.open(options(1, 64, 2))) {
      CompletableFuture<Completion> done = new CompletableFuture<>();
      Generation generation =
          engine.submit(
              Requests.greedy("a", "x", 90).build(),
              GeneratedTokens.NONE,
              new Requests.FutureListener(done) {
                @Override
                public void onToken(int token, String text) {
                  done.completeExceptionally(new AssertionError("received token " + token));
                }
              });
      generation.cancel();
      get(engine, Requests.greedy("b", "y", 5).build());
      generation.cancel();

      assertThat(engine.stats().running()).isZero();
      assertThat(engine.stats().kvBlocksUsed()).isZero();
    }
  }

  @Test
  void rejectsRequestsThatCannotBeDone() throws Exception {
    try (LlmEngine engine = LlmEngine.open(options(8, 64, 2))) {
      refused(
          engine,
          Requests.greedy(null, "p", 5),
          "id is missing; it identifies the request in its completion");
      refused(engine, Requests.greedy("a", "", 5), "prompt is empty");
      refused(engine, Requests.greedy("a", null, 5), "prompt is missing; give prompt or");
      refused(
          engine,
          Requests.greedy("a", "p", 5).setPromptTokenIds(List.of(1)),
          "prompt and prompt_token_ids are both given");
      refused(
          engine,
          Requests.greedy("a", null, 5).setPromptTokenIds(List.of(1, 300)),
          "prompt_token_ids holds 300; token ids of this model range from 0 to 299");
      refused(
          engine,
          Requests.greedy("a", "x".repeat(96), 5),
          "prompt has 96 tokens; max_model_len is 96, which must hold the prompt and at least one");
      refused(engine, Requests.greedy("a", "p", 0), "max_tokens is 0; it must be at least 1");
      // The engine still completes requests.
      assertThat(get(engine, Requests.greedy("a", "p", 1).build()).getCompletionTokens())
          .isEqualTo(1);
    }
  }

  @Test
  void refusesOptionsThatTheModelDoesNotSupport() {
    String model = directory.resolve("tiny").toString();
    assertThatThrownBy(
            () -> LlmEngine.open(options(8, 64, 1).toBuilder().set(MAX_MODEL_LEN, 97).build()))
        .hasMessage("max_model_len is 97; the model's max_position_embeddings, 96, is the maximum");
    assertThatThrownBy(
            () -> LlmEngine.open(options(8, 64, 1).toBuilder().set(KV_CACHE_MEMORY, 1L).build()))
        .hasMessageStartingWith("kv_cache_memory is 1 bytes, room for 0 tokens; one sequence of");
    assertThatThrownBy(() -> EngineOptions.builder("tiny").parse(DEVICE, "metal"))
        .hasMessage(
            "device is metal; it must be auto, cpu, opencl, ptx or cuda, the last three with or without"
                + " a number, as in opencl:1");
  }

  @Test
  void refusesMoreTokensPerStepThanTheirActivationsAllow() {
    // A row of q, k, v and fc1 is 3 * 48 + 96 values, in whole tiles.
    assertThatThrownBy(() -> LlmEngine.open(options(8, 1 << 24, 1)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("max_num_batched_tokens is 16777216; with ")
        .hasMessageContaining(" numbers each the limit of this model is ");
  }

  @Test
  void aClosedEngineRejectsRequests() {
    LlmEngine engine = LlmEngine.open(options(8, 64, 2));
    engine.close();
    engine.close();
    assertThatThrownBy(
            () ->
                Requests.submit(engine, Requests.greedy("a", "p", 5).build(), GeneratedTokens.NONE))
        .isInstanceOf(EngineException.class)
        .hasMessage("The engine for model tiny is closed");
  }

  private static EngineOptions options(int maxNumSeqs, int maxNumBatchedTokens, int threads) {
    return TestOptions.cpu(directory.resolve("tiny"), maxNumSeqs, maxNumBatchedTokens, threads);
  }

  private static void same(Completion actual, Completion expected, Object when) {
    assertThat(actual.getTokenIds()).as("%s", when).isEqualTo(expected.getTokenIds());
    assertThat(actual.getLogprobs()).as("%s", when).isEqualTo(expected.getLogprobs());
    assertThat(actual.getOutputs()).as("%s", when).isEqualTo(expected.getOutputs());
    assertThat(actual.getTopLogprobs()).as("%s", when).isEqualTo(expected.getTopLogprobs());
    assertThat(actual.getText()).as("%s", when).isEqualTo(expected.getText());
    assertThat(actual.getFinishReason()).as("%s", when).isEqualTo(expected.getFinishReason());
  }

  private static void refused(LlmEngine engine, CompletionRequest.Builder request, String message) {
    assertThatThrownBy(() -> Requests.submit(engine, request.build(), GeneratedTokens.NONE))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageStartingWith(message);
  }

  private static Completion get(LlmEngine engine, CompletionRequest request)
      throws ExecutionException, InterruptedException, TimeoutException {
    return Requests.submit(engine, request, GeneratedTokens.NONE).get(60, TimeUnit.SECONDS);
  }
}

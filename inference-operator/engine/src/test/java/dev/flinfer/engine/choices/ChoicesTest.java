package dev.flinfer.engine.choices;

import static dev.flinfer.engine.EngineOption.ENABLE_PREFIX_CACHING;
import static dev.flinfer.engine.EngineOption.KV_CACHE_MEMORY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.Generation;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.Requests;
import dev.flinfer.engine.TestOptions;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.FinishReason;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Requests with choices on the CPU backend and a small random model with one token per byte. */
final class ChoicesTest {
  private static final RandomCheckpoint.Shape SHAPE =
      new RandomCheckpoint.Shape(48, 4, 2, 96, 300, 96, 0.5);
  private static final long BLOCK_BYTES = 2 * 4 * 16 * (12 + 16) * 4;
  private static final String MEAN = "token_length_normalized";
  private static final String GREEDY = "greedy_token_selection";
  private static final String UNCONDITIONAL = "unconditional_likelihood_normalized";

  /** Distinct first tokens; shared first tokens; a label that starts another; non-ASCII labels. */
  private static final List<List<String>> LABELS =
      List.of(
          List.of("a", "b", "c"),
          List.of("alpha", "beta", " gamma"),
          List.of("sport", "space", "spain", "art"),
          List.of("ab", "abc", "a", "abcde", "b"),
          List.of("größe", "grün", "日本", "日光", "😀", "😁"),
          List.of("the only one"));

  @TempDir static Path directory;
  private static LabelOracle oracle;

  @BeforeAll
  static void write() {
    oracle =
        new LabelOracle(RandomCheckpoint.write(directory.resolve("tiny"), SHAPE, DType.F16, 11));
  }

  @ParameterizedTest
  @ValueSource(strings = {"p", "a prompt of two blocks, a bit", "sixteen letters."})
  void probabilitiesAreThoseOfTheFormulas(String prompt) throws Exception {
    try (LlmEngine engine = LlmEngine.open(options(4, 128, 0, true))) {
      for (List<String> labels : LABELS) {
        holds(engine, request(prompt, labels, MEAN), oracle.meanLogprobs(prompt, labels));
        holds(
            engine,
            request(prompt, labels, UNCONDITIONAL),
            oracle.lessUnconditional(prompt, labels));
      }
      assertThat(engine.stats().kvBlocksUsed()).isZero();
      assertThat(engine.stats().generatedTokens()).isZero();
    }
  }

  private static void holds(LlmEngine engine, CompletionRequest request, double[] scores)
      throws Exception {
    Completion completion = get(engine, request);
    List<String> labels = request.getChoices();
    double[] expected = LabelOracle.softmax(scores);
    double entropy = 0;
    int best = 0;
    for (int i = 0; i < expected.length; i++) {
      assertThat(completion.getLabelProbabilities().get(labels.get(i)))
          .as("%s of %s", labels.get(i), request)
          .isCloseTo(expected[i], within(1e-4));
      entropy -= expected[i] * Math.log(expected[i]);
      best = expected[i] > expected[best] ? i : best;
    }
    int first = best;
    double second =
        IntStream.range(0, expected.length)
            .filter(i -> i != first)
            .mapToDouble(i -> expected[i])
            .max()
            .orElse(0);
    assertThat(completion.getLabel()).isEqualTo(labels.get(best)).isEqualTo(completion.getText());
    assertThat(completion.getLabelProbabilities()).hasSize(expected.length);
    assertThat(completion.getLabelMargin()).isCloseTo(expected[best] - second, within(1e-4));
    assertThat(completion.getLabelEntropy()).isCloseTo(entropy, within(1e-3));
    assertThat(completion.getFinishReason()).isEqualTo(FinishReason.CHOICE);
    assertThat(completion.getTokenIds()).isEmpty();
    assertThat(completion.getCompletionTokens()).isZero();
  }

  @Test
  void greedySelectionGoesTokenByTokenAndSplitsTheProbabilities() throws Exception {
    List<String> labels = List.of("ab", "abc", "ax", "b");
    List<Double> abc = oracle.logprobs("a prompt", "abc");
    List<Double> ax = oracle.logprobs("a prompt", "ax");
    double b = oracle.logprobs("a prompt", "b").get(0);
    double[] first = LabelOracle.softmax(new double[] {abc.get(0), b});
    double[] second = LabelOracle.softmax(new double[] {abc.get(1), ax.get(1)});
    // "ab" has ended where "abc" continues: its mean takes the place of a next token.
    double[] third =
        LabelOracle.softmax(new double[] {LabelOracle.mean(abc.subList(0, 2)), abc.get(2)});
    double[] expected = {
      first[0] * second[0] * third[0],
      first[0] * second[0] * third[1],
      first[0] * second[1],
      first[1]
    };
    int chosen = first[1] > first[0] ? 3 : second[1] > second[0] ? 2 : third[1] > third[0] ? 1 : 0;
    try (LlmEngine engine = LlmEngine.open(options(4, 128, 0, true))) {
      Completion completion = get(engine, request("a prompt", labels, GREEDY));

      for (int i = 0; i < expected.length; i++) {
        assertThat(completion.getLabelProbabilities().get(labels.get(i)))
            .isCloseTo(expected[i], within(1e-4));
      }
      assertThat(completion.getLabel()).isEqualTo(labels.get(chosen));
    }
  }

  /** Also without distinct first tokens: all tokens to compute are known before the first step. */
  @ParameterizedTest
  @ValueSource(strings = {MEAN, GREEDY, UNCONDITIONAL})
  void labelsTakeOneStepWithTheirPrompt(String method) throws Exception {
    for (List<String> labels : LABELS) {
      try (LlmEngine engine = LlmEngine.open(options(8, 300, 0, true))) {
        get(engine, request("a prompt of some length", labels, method));
        assertThat(engine.stats().steps()).as("%s", labels).isEqualTo(1);
      }
    }
  }

  @Test
  void logitsWithoutAFiniteScoreAreRefusedEachTimeTheyAreScored() {
    int[][] tokens = {{0}, {1}};
    Choices choices = new Choices(List.of("a", "b"), tokens, ChoicesMethod.TOKEN_LENGTH_NORMALIZED);
    float[] logits = {Float.NEGATIVE_INFINITY, 1};
    for (int attempt = 0; attempt < 2; attempt++) {
      assertThat(choices.score(Choices.Path.EMPTY, 0, logits, 0, 2)).isFalse();
      choices.scoreAgain();
    }
    assertThat(choices.score(Choices.Path.EMPTY, 0, new float[] {1, 1}, 0, 2)).isTrue();
    assertThat(choices.result().probabilities()).containsExactly(0.5, 0.5);
  }

  @Test
  void distinctFirstTokensNeedOnlyThePromptsRows() throws Exception {
    try (LlmEngine engine = LlmEngine.open(options(1, 200, 0, true))) {
      get(engine, request("a prompt", List.of("a", "b", "c"), MEAN));
      assertThat(engine.stats().promptTokens()).isEqualTo("a prompt".length());
      get(engine, request("a prompt", List.of("xa", "yb", "zc"), GREEDY));
      assertThat(engine.stats().promptTokens()).isEqualTo(2 * "a prompt".length());
    }
  }

  /** Batch invariance: bit-identical in any batch, with any chunking, cache and preemption. */
  @Test
  void choicesAreBitIdenticalInAnyBatch() throws Exception {
    Random random = new Random(5);
    List<CompletionRequest> requests = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      requests.add(randomRequest(random, "r" + i));
    }
    List<Completion> alone = new ArrayList<>();
    try (LlmEngine engine = LlmEngine.open(options(1, 200, 0, false))) {
      for (CompletionRequest request : requests) {
        alone.add(get(engine, request));
      }
    }
    for (int round = 0; round < 6; round++) {
      int seqs = 1 + random.nextInt(12);
      long blocks = round < 2 ? 6 : 8 + random.nextInt(40);
      EngineOptions options =
          options(seqs, seqs + random.nextInt(40), blocks * BLOCK_BYTES, round % 2 == 0);
      try (LlmEngine engine = LlmEngine.open(options)) {
        List<CompletableFuture<Completion>> together =
            requests.stream().map(r -> Requests.submit(engine, r, GeneratedTokens.NONE)).toList();
        for (int i = 0; i < requests.size(); i++) {
          same(together.get(i).get(60, TimeUnit.SECONDS), alone.get(i), options);
        }
        assertThat(engine.stats().kvBlocksUsed()).isZero();
      }
    }
  }

  @Test
  void aRestoredChoiceStartsOverWithTheSameOutcome() throws Exception {
    CompletionRequest request = request("a prompt", LABELS.get(3), MEAN);
    try (LlmEngine engine = LlmEngine.open(options(4, 16, 0, true))) {
      Completion whole = get(engine, request);
      CompletableFuture<Completion> done = new CompletableFuture<>();
      Generation halfway =
          engine.submit(request, GeneratedTokens.NONE, new Requests.FutureListener(done));
      GeneratedTokens progress = halfway.progress();
      halfway.cancel();

      assertThat(progress.tokens()).isEmpty();
      same(Requests.submit(engine, request, progress).get(60, TimeUnit.SECONDS), whole, "restored");
    }
  }

  @Test
  void aLabelMayFillTheContextAndTakeTheLastBlock() throws Exception {
    String prompt = "x".repeat(86);
    List<String> labels = List.of("abcdefghij", "bcdefghijk", "cdefghijkl");
    try (LlmEngine engine = LlmEngine.open(options(1, 7, 6 * BLOCK_BYTES, false))) {
      holds(engine, request(prompt, labels, MEAN), oracle.meanLogprobs(prompt, labels));
      holds(
          engine, request(prompt, labels, UNCONDITIONAL), oracle.lessUnconditional(prompt, labels));
    }
  }

  @Test
  void samplingFieldsHaveNoEffectAndAPassedDeadlineEndsAChoice() throws Exception {
    try (LlmEngine engine = LlmEngine.open(options(4, 64, 0, true))) {
      CompletionRequest plain = request("p", LABELS.get(2), MEAN);
      CompletionRequest hot = request("p", LABELS.get(2), MEAN);
      hot.setTemperature(2);
      hot.setTopK(1);
      hot.setSeed(7L);
      hot.setMaxTokens(1);
      hot.setStop(List.of("s"));
      same(get(engine, hot), get(engine, plain), "temperature 2");

      plain.setDeadline(1L);
      Completion late = get(engine, plain);
      assertThat(late.getFinishReason()).isEqualTo(FinishReason.DEADLINE);
      assertThat(late.getLabel()).isNull();
      assertThat(late.getLabelMargin()).isNull();
      assertThat(late.getLabelProbabilities()).isEmpty();
    }
  }

  private static CompletionRequest request(String prompt, List<String> labels, String method) {
    return Requests.greedy("id", prompt, 1).setChoices(labels).setChoicesMethod(method).build();
  }

  private static CompletionRequest randomRequest(Random random, String id) {
    String prompt = "a shared prefix of some length, or not".substring(random.nextInt(38));
    CompletionRequest.Builder request =
        Requests.greedy(id, prompt + id, 1 + random.nextInt(20)).setPriority(random.nextInt(3));
    if (random.nextInt(4) > 0) {
      request
          .setChoices(LABELS.get(random.nextInt(LABELS.size())))
          .setChoicesMethod(List.of(MEAN, GREEDY, UNCONDITIONAL).get(random.nextInt(3)));
    }
    return request.build();
  }

  private static void same(Completion actual, Completion expected, Object when) {
    assertThat(actual.getText()).as("%s", when).isEqualTo(expected.getText());
    assertThat(actual.getLabelProbabilities())
        .as("%s", when)
        .isEqualTo(expected.getLabelProbabilities());
    assertThat(actual.getLabelMargin()).as("%s", when).isEqualTo(expected.getLabelMargin());
    assertThat(actual.getLabelEntropy()).as("%s", when).isEqualTo(expected.getLabelEntropy());
    assertThat(actual.getTokenIds()).as("%s", when).isEqualTo(expected.getTokenIds());
  }

  private static Completion get(LlmEngine engine, CompletionRequest request) throws Exception {
    return Requests.submit(engine, request, GeneratedTokens.NONE).get(60, TimeUnit.SECONDS);
  }

  private static EngineOptions options(
      int maxNumSeqs, int maxNumBatchedTokens, long kvCacheBytes, boolean prefixCaching) {
    return TestOptions.cpu(directory.resolve("tiny"), maxNumSeqs, maxNumBatchedTokens, 2)
        .toBuilder()
        .set(KV_CACHE_MEMORY, kvCacheBytes)
        .set(ENABLE_PREFIX_CACHING, prefixCaching)
        .build();
  }
}

package dev.flinfer.engine.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assertions.withinPercentage;

import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.RandomGguf;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiGguf;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.sampling.TopTokens;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.Gguf;
import dev.flinfer.engine.weights.Safetensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The tests that every backend must pass. A subclass only opens its backend. */
public abstract class ForwardPassContract {
  private static final int MAX_ROWS = 48;
  private static final int BLOCKS = 40;

  @TempDir Path directory;

  /** Opens the backend under test. */
  protected abstract ForwardPass open(
      PhiConfig config, PhiWeights weights, int numKvBlocks, int maxRows);

  /** How far a logit may be from the oracle's; logits here have a size of a few units. */
  protected double tolerance() {
    return 2e-4;
  }

  @ParameterizedTest
  @EnumSource
  void computesWhatTheFormulasGive(DType dtype) {
    for (RandomCheckpoint.Shape shape : shapes(dtype)) {
      withBackend(
          shape, dtype, (forward, checkpoint) -> isClose(forward, checkpoint, dtype.name()));
    }
  }

  /** As in files of Q4_K_M, and with q, k and v separate. */
  @Test
  void partsOfAMatrixKeepTheirTypes() {
    Path file = directory.resolve("mixed.gguf");
    RandomCheckpoint checkpoint =
        RandomGguf.write(file, RandomGguf.BLOCKS_OF_256, ForwardPassContract::mixedType, false, 7);
    withGguf(file, checkpoint, (forward, written) -> isClose(forward, written, "mixed"));
  }

  public static DType mixedType(String name) {
    if (name.contains("attn_v") || name.contains("ffn_down")) {
      return DType.Q6_K;
    }
    return name.contains("attn_k") ? DType.F16 : DType.Q4_K;
  }

  private void isClose(ForwardPass forward, RandomCheckpoint checkpoint, String what) {
    RandomCheckpoint.Shape shape = checkpoint.shape();
    int[] tokens = randomTokens(new Random(1), 37, shape.vocab());
    double[][] expected = new NaivePhi(checkpoint).logits(tokens);
    float[][] actual = new RaggedSteps.Alone(forward, tokens, 7).all(MAX_ROWS);
    for (int t = 0; t < tokens.length; t++) {
      for (int i = 0; i < shape.vocab(); i++) {
        assertThat((double) actual[t][i])
            .as("%s %s logit %d after token %d", what, shape, i, t)
            .isCloseTo(expected[t][i], within(tolerance()));
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void logitsAreTheSameBitsInAnyBatchAndChunking(DType dtype) {
    RandomCheckpoint.Shape shape = shapes(dtype).get(0);
    withBackend(
        shape,
        dtype,
        (forward, checkpoint) -> {
          Random random = new Random(2);
          List<int[]> prompts = new ArrayList<>();
          List<float[][]> alone = new ArrayList<>();
          for (int i = 0; i < 6; i++) {
            prompts.add(randomTokens(random, 1 + random.nextInt(40), shape.vocab()));
            alone.add(new RaggedSteps.Alone(forward, prompts.get(i), i).all(1));
          }
          for (int round = 0; round < 20; round++) {
            float[][][] together = RaggedSteps.together(forward, prompts, MAX_ROWS, random);
            for (int i = 0; i < prompts.size(); i++) {
              for (int t = 0; t < prompts.get(i).length; t++) {
                assertThat(together[i][t])
                    .as("prompt %d after token %d in round %d", i, t, round)
                    .containsExactly(alone.get(i)[t]);
              }
            }
          }
        });
  }

  @Test
  void aLongContextIsComputedOverManyBlocks() {
    withBackend(
        RandomCheckpoint.Shape.EVEN,
        DType.F32,
        (forward, checkpoint) -> {
          int[] tokens = randomTokens(new Random(3), 128, 300);
          double[][] expected = new NaivePhi(checkpoint).logits(tokens);
          float[][] actual = new RaggedSteps.Alone(forward, tokens, 3).all(29);
          for (int i = 0; i < 300; i++) {
            assertThat((double) actual[127][i]).isCloseTo(expected[127][i], within(tolerance()));
          }
        });
  }

  /** For backends that find them on their device; others return complete rows, which passes too. */
  @ParameterizedTest
  @EnumSource
  void theMostLikelyTokensAreThoseOfWholeRows(Chosen chosen) {
    withBackend(
        RandomCheckpoint.Shape.ODD,
        DType.F32,
        (forward, checkpoint) -> {
          int vocab = forward.vocabSize();
          int[] tokens = randomTokens(new Random(5), MAX_ROWS, vocab);
          int[][] tables = {{0, 1, 2}};
          StepBuffers plan =
              RaggedSteps.plan(List.of(tokens), tables, new int[1], new int[] {MAX_ROWS});
          float[] whole = new float[MAX_ROWS * vocab];
          forward.forward(plan, whole);
          TopLogits top = new TopLogits(MAX_ROWS);
          for (int row = 0; row < MAX_ROWS; row++) {
            top.want(row, chosen.count(row));
          }
          float[] logits = new float[MAX_ROWS * vocab];
          forward.forward(plan, logits, top);

          for (int row = 0; row < MAX_ROWS; row++) {
            if (top.given(row)) {
              assertIsTopOf(RaggedSteps.row(whole, row, vocab), top, row, chosen.count(row));
            } else {
              assertThat(RaggedSteps.row(logits, row, vocab))
                  .as("row %d", row)
                  .containsExactly(RaggedSteps.row(whole, row, vocab));
            }
          }
        });
  }

  /** The number of tokens of a row that are requested. */
  enum Chosen {
    ONE,
    MOST,
    MIXED;

    int count(int row) {
      return switch (this) {
        case ONE -> 1;
        case MOST -> TopLogits.MOST;
        case MIXED -> row * 5 % (TopLogits.MOST + 1); // 0 now and then
      };
    }
  }

  private static void assertIsTopOf(float[] whole, TopLogits top, int row, int count) {
    long[] best = TopTokens.of(whole, 0, whole.length, count);
    assertThat(count).as("tokens requested of row %d", row).isPositive();
    for (int rank = 0; rank < count; rank++) {
      int token = TopTokens.token(best[rank]);
      assertThat(top.token(row, rank)).as("row %d, rank %d", row, rank).isEqualTo(token);
      assertThat(top.logit(row, rank)).as("row %d, rank %d", row, rank).isEqualTo(whole[token]);
    }
    double sum = 0;
    for (float logit : whole) {
      sum += Math.exp((double) logit - top.logit(row, 0));
    }
    assertThat((double) top.sum(row)).as("row %d", row).isCloseTo(sum, withinPercentage(1e-3));
  }

  /** As the branches of a choice read their prompt's blocks. */
  @Test
  void aSequenceReadsBlocksThatAnotherWritesInTheSameStep() {
    withBackend(
        RandomCheckpoint.Shape.ODD,
        DType.F32,
        (forward, checkpoint) -> {
          int[] prompt = randomTokens(new Random(4), 35, 271);
          int[] branch = Arrays.copyOf(prompt, 38);
          System.arraycopy(new int[] {7, 8, 9}, 0, branch, 35, 3);
          float[][] alone = new RaggedSteps.Alone(forward, branch, 9).all(5);
          float[] logits = new float[MAX_ROWS * forward.vocabSize()];

          int[][] tables = {{1, 2, 3}, {1, 2, 4}};
          forward.forward(
              RaggedSteps.plan(
                  List.of(prompt, branch), tables, new int[] {0, 32}, new int[] {35, 6}),
              logits);

          for (int t = 0; t < 6; t++) {
            assertThat(RaggedSteps.row(logits, 35 + t, forward.vocabSize()))
                .containsExactly(alone[32 + t]);
          }
        });
  }

  private static int[] randomTokens(Random random, int count, int vocab) {
    return random.ints(count, 0, vocab).toArray();
  }

  private interface Body {
    void run(ForwardPass forward, RandomCheckpoint checkpoint);
  }

  private static List<RandomCheckpoint.Shape> shapes(DType dtype) {
    return dtype.isQuantized()
        ? List.of(RandomGguf.shapeFor(dtype))
        : List.of(RandomCheckpoint.Shape.ODD, RandomCheckpoint.Shape.EVEN);
  }

  /** Quantized types occur only in GGUF files; the others are read from safetensors. */
  private void withBackend(RandomCheckpoint.Shape shape, DType dtype, Body body) {
    Path model = directory.resolve(dtype + "-" + shape.hidden());
    if (dtype.isQuantized()) {
      withGguf(model, RandomGguf.write(model, shape, dtype, 42), body);
      return;
    }
    RandomCheckpoint checkpoint = RandomCheckpoint.write(model, shape, dtype, 42, 2);
    PhiConfig config = PhiConfig.load(model);
    try (Safetensors files = Safetensors.open(model);
        ForwardPass forward = open(config, PhiWeights.of(files, config), BLOCKS, MAX_ROWS)) {
      body.run(forward, checkpoint);
    }
  }

  private void withGguf(Path file, RandomCheckpoint checkpoint, Body body) {
    try (Gguf gguf = Gguf.open(file)) {
      PhiConfig config = PhiConfig.of(gguf);
      PhiWeights weights = PhiWeights.of(new PhiGguf(gguf), config);
      try (ForwardPass forward = open(config, weights, BLOCKS, MAX_ROWS)) {
        body.run(forward, checkpoint);
      }
    }
  }
}

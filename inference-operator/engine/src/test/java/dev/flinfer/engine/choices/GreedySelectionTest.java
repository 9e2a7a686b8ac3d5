package dev.flinfer.engine.choices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

final class GreedySelectionTest {
  /** One level of recursion per token would overflow the stack of the engine's thread. */
  @Test
  void labelsMayShareAnyNumberOfFirstTokens() {
    int[][] tokens = {new int[100_000], new int[100_000]};
    double[][] logprobs = {new double[100_000], new double[100_000]};
    Arrays.stream(tokens).forEach(label -> Arrays.fill(label, 7));
    tokens[1][99_999] = 8;
    logprobs[0][99_999] = Math.log(0.25);
    logprobs[1][99_999] = Math.log(0.75);

    LabelScores scores = new GreedySelection(tokens, logprobs).result(List.of("7", "8"));

    assertThat(scores.chosen()).isEqualTo(1);
    assertThat(scores.probabilities()).containsExactly(new double[] {0.25, 0.75}, within(1e-12));
  }
}

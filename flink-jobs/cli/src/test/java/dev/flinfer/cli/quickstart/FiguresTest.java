package dev.flinfer.cli.quickstart;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.flinfer.cli.Prompts.Prompt;
import dev.flinfer.cli.Samples;
import dev.flinfer.cli.quickstart.Figures.Accuracy;
import dev.flinfer.cli.quickstart.Figures.Quantiles;
import dev.flinfer.schema.Completion;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class FiguresTest {

  @Test
  void aLabelIsTheFirstLineWithoutSurroundingSpace() {
    assertThat(Figures.label(Samples.completion("a", " billing\nReply: We refund you.")))
        .isEqualTo("billing");
    assertThat(Figures.label(Samples.completion("a", ""))).isEmpty();
  }

  @Test
  void accuracyCountsPromptsWithALabelOnlyAndMissingAnswersAsWrong() {
    List<Prompt> prompts =
        List.of(
            new Prompt("a", "?", "billing", "{}"),
            new Prompt("b", "?", "billing", "{}"),
            new Prompt("c", "?", "product", "{}"),
            new Prompt("d", "?", null, "{}"));
    Map<String, Completion> completions =
        Map.of(
            "a", Samples.completion("a", " billing\nReply: ..."),
            "b", Samples.completion("b", " billings\nReply: ..."));

    Accuracy accuracy = Figures.accuracy(prompts, completions);

    assertThat(accuracy.line()).isEqualTo("accuracy 33.3 % (1 of 3)");
  }

  @Test
  void accuracyIsNeverRoundedUp() {
    assertThat(new Accuracy(974, 1000).line()).isEqualTo("accuracy 97.4 % (974 of 1000)");
    assertThat(new Accuracy(99_999, 100_000).line()).isEqualTo("accuracy 99.9 % (99999 of 100000)");
    assertThat(new Accuracy(5, 5).line()).isEqualTo("accuracy 100.0 % (5 of 5)");
  }

  @Test
  void quantilesAreValuesThatOccurred() {
    List<Completion> completions =
        IntStream.rangeClosed(1, 100)
            .mapToObj(i -> Samples.completion("id" + i, "x", 101 - i))
            .toList();

    Quantiles quantiles = Quantiles.of(completions, Completion::getLatencyMs);

    assertThat(quantiles.at(0.50)).isEqualTo(50);
    assertThat(quantiles.at(0.95)).isEqualTo(95);
    assertThat(quantiles.at(0.99)).isEqualTo(99);
    assertThat(quantiles.at(0)).isEqualTo(1);
    assertThat(Quantiles.of(List.of(), Completion::getLatencyMs).at(0.5)).isZero();
  }

  @Test
  void ratesLeaveIdleWindowsOut() {
    var windows =
        List.of(
            Samples.window(0, 1000, 0, 0),
            Samples.window(1000, 2000, 300, 30),
            Samples.window(2000, 3000, 100, 10),
            Samples.window(3000, 9000, 0, 0));

    assertThat(Figures.tokensPerSecond(windows)).isEqualTo(200);
    // 10 forward passes of 30 and 10 of 10.
    assertThat(Figures.meanBatchSize(windows)).isCloseTo(20, within(1e-9));
    assertThat(Figures.tokensPerSecond(List.of())).isZero();
    assertThat(Figures.meanBatchSize(List.of())).isZero();
  }
}

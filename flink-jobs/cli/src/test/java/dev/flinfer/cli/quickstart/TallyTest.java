package dev.flinfer.cli.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.cli.Samples;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

final class TallyTest {

  @Test
  void oneCompletionOrRejectionPerPromptIsNotAProblem() {
    Tally tally = new Tally(List.of("a", "b"));
    tally.completion(Samples.completion("a", "x"));
    assertThat(tally.allAnswered()).isFalse();
    tally.rejection("b", new byte[0]);

    assertThat(tally.allAnswered()).isTrue();
    assertThat(tally.problems()).isEmpty();
    assertThat(tally.completionRecords()).isEqualTo(1);
    assertThat(tally.rejectionRecords()).isEqualTo(1);
  }

  @Test
  void namesThePromptsThatLackAnAnswer() {
    Tally tally = new Tally(IntStream.range(0, 13).mapToObj(i -> "t" + i).toList());
    tally.completion(Samples.completion("t0", "x"));

    assertThat(tally.problems())
        .containsExactly(
            "12 prompts have no completion and no rejection:"
                + " t1, t2, t3, t4, t5, t6, t7, t8, t9, t10 and 2 more");
  }

  @Test
  void namesThePromptsThatHaveMoreThanOneAnswer() {
    Tally tally = new Tally(List.of("a", "b"));
    tally.completion(Samples.completion("a", "x"));
    tally.completion(Samples.completion("a", "x"));
    tally.completion(Samples.completion("b", "x"));
    tally.completion(Samples.completion("c", "x"));
    tally.rejection(null, new byte[0]);

    assertThat(tally.problems())
        .containsExactly(
            "1 prompt has more than one completion or rejection: a",
            "2 outcomes for prompts that were not sent: c, null");
  }

  @Test
  void aCompletionAndARejectionAreOneTooMany() {
    Tally tally = new Tally(List.of("a"));
    tally.completion(Samples.completion("a", "x"));
    tally.rejection("a", new byte[0]);

    assertThat(tally.problems())
        .containsExactly("1 prompt has more than one completion or rejection: a");
  }
}

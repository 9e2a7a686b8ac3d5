package dev.flinfer.engine.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.Requests;
import dev.flinfer.schema.CompletionRequest;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Adjusts logits of a vocabulary of six tokens, of which 5 is the end-of-text token. */
final class LogitsAdjusterTest {
  private static final float NEVER = Float.NEGATIVE_INFINITY;

  /** The row follows two values of another row. */
  private static final float[] LOGITS = {9, 9, 2, -2, 0, 4, 1, 3};

  private static final int EOS = 5;

  private final LogitsAdjuster adjuster = new LogitsAdjuster(6, Set.of(EOS));

  @Test
  void withoutParametersThereIsNothingToDo() {
    assertThat(concerns(request().build(), 1, 2)).isFalse();
    assertThat(concerns(request().setFrequencyPenalty(-1).build())).isTrue();
    assertThat(concerns(request().setMinTokens(2).build(), 1)).isTrue();
    assertThat(concerns(request().setMinTokens(2).build(), 1, 1)).isFalse();
  }

  @Test
  void presenceCountsAGeneratedTokenOnce() {
    assertThat(adjust(request().setPresencePenalty(0.5).build(), 2, 2, 3))
        .containsExactly(2, -2, -0.5f, 3.5f, 1, 3);
  }

  @Test
  void frequencyCountsEveryOccurrenceAndTheScratchSpaceIsClean() {
    CompletionRequest request = request().setFrequencyPenalty(0.5).build();

    assertThat(adjust(request, 2, 2, 3)).containsExactly(2, -2, -1, 3.5f, 1, 3);
    assertThat(adjust(request, 2, 2, 3)).containsExactly(2, -2, -1, 3.5f, 1, 3);
    assertThat(adjust(request().setFrequencyPenalty(-2).build(), 4))
        .containsExactly(2, -2, 0, 4, 3, 3);
  }

  @Test
  void repetitionCountsThePromptToo() {
    // The prompt is 0, 1, 0. Positive logits are divided, negative ones multiplied.
    CompletionRequest request = request().setRepetitionPenalty(2).build();

    assertThat(adjust(request)).containsExactly(1, -4, 0, 4, 1, 3);
    assertThat(adjust(request, 3, 3)).containsExactly(1, -4, 0, 2, 1, 3);
  }

  @Test
  void biasThenRepetitionThenFrequencyThenPresence() {
    CompletionRequest request =
        request()
            .setLogitBias(Map.of("3", 2.0, "1", 3.0))
            .setRepetitionPenalty(2)
            .setFrequencyPenalty(0.25)
            .setPresencePenalty(1)
            .build();

    // Token 3: (4 + 2) / 2 - 2 * 0.25 - 1; token 1: (-2 + 3) / 2.
    assertThat(adjust(request, 3, 3)).containsExactly(1, 0.5f, 0, 1.5f, 1, 3);
  }

  @Test
  void tokensThatEndTheTextCannotComeBeforeMinTokens() {
    CompletionRequest request =
        request()
            .setMinTokens(2)
            .setStopTokenIds(List.of(3))
            .setLogitBias(Map.of("3", 9.0))
            .build();

    assertThat(adjust(request, 0)).containsExactly(2, -2, 0, NEVER, 1, NEVER);
    assertThat(adjust(request, 0, 0)).containsExactly(2, -2, 0, 13, 1, 3);
    assertThat(adjust(request().setMinTokens(1).setIgnoreEos(true).build()))
        .containsExactly(2, -2, 0, 4, 1, NEVER);
  }

  private float[] adjust(CompletionRequest request, int... generated) {
    SamplingParams params = SamplingParams.of(request);
    return adjuster.adjust(LOGITS, 2, params, tokens(params, generated), null).clone();
  }

  private static boolean concerns(CompletionRequest request, int... generated) {
    return LogitsAdjuster.concerns(SamplingParams.of(request), generated.length, null);
  }

  private static CompletionRequest.Builder request() {
    return Requests.greedy("id", "p", 10);
  }

  private static TokenBuffer tokens(SamplingParams params, int... generated) {
    TokenBuffer tokens = new TokenBuffer(new int[] {0, 1, 0}, params);
    for (int token : generated) {
      tokens.append(token, TokenLogprobs.NONE);
    }
    return tokens;
  }
}

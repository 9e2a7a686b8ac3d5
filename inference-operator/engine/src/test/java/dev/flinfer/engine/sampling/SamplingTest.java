package dev.flinfer.engine.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.Requests;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.FinishReason;
import dev.flinfer.schema.TokenLogprob;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The effect of the sampling parameters on complete texts, on a small random model. */
final class SamplingTest extends OneTinyEngine {
  @Test
  void stopTokensEndATextAndAreIncluded() throws Exception {
    Completion free = get(greedy());
    int stop = free.getTokenIds().get(4);
    int first = free.getTokenIds().indexOf(stop);

    Completion stopped = get(greedy().setStopTokenIds(List.of(stop)));

    assertThat(stopped.getFinishReason()).isEqualTo(FinishReason.STOP);
    assertThat(stopped.getTokenIds()).isEqualTo(free.getTokenIds().subList(0, first + 1));
    assertThat(free.getText()).startsWith(stopped.getText());
  }

  @Test
  void minTokensDelaysStopConditions() throws Exception {
    int stop = get(greedy()).getTokenIds().get(0);

    Completion late = get(greedy().setStopTokenIds(List.of(stop)).setMinTokens(6));

    assertThat(late.getCompletionTokens()).isGreaterThanOrEqualTo(6);
    assertThat(late.getTokenIds().subList(0, 6)).doesNotContain(stop);
  }

  @Test
  void theEndOfTextTokenEndsATextUnlessItIsIgnored() throws Exception {
    Map<String, Double> eos = Map.of("256", 100.0);
    Completion ended = get(greedy().setLogitBias(eos));
    assertThat(ended.getFinishReason()).isEqualTo(FinishReason.STOP);
    assertThat(ended.getTokenIds()).containsExactly(256);

    Completion ignored = get(greedy().setLogitBias(eos).setIgnoreEos(true));
    assertThat(ignored.getFinishReason()).isEqualTo(FinishReason.LENGTH);
    assertThat(ignored.getTokenIds()).hasSize(20).containsOnly(256);
  }

  @Test
  void aStrongPenaltyMakesEveryTokenNew() throws Exception {
    Completion completion =
        get(greedy().setRepetitionPenalty(1e9).setIgnoreEos(true).setMaxTokens(40));

    assertThat(new HashSet<>(completion.getTokenIds())).hasSize(40);
  }

  @Test
  void alternativesAreTheMostLikelyOfTheModelWhateverIsSampled() throws Exception {
    Completion plain = get(greedy().setLogprobs(3));
    Completion forced = get(greedy().setLogprobs(3).setLogitBias(Map.of("7", 100.0)));

    for (List<TokenLogprob> top : plain.getTopLogprobs()) {
      assertThat(top)
          .hasSize(3)
          .isSortedAccordingTo((a, b) -> Float.compare(b.getLogprob(), a.getLogprob()));
    }
    assertThat(plain.getTopLogprobs()).hasSize(20);
    for (int i = 0; i < 20; i++) {
      TokenLogprob best = plain.getTopLogprobs().get(i).get(0);
      assertThat(best.getTokenId()).isEqualTo(plain.getTokenIds().get(i));
      assertThat(best.getLogprob()).isEqualTo(plain.getLogprobs().get(i));
    }
    // Changes to the logits do not affect the log-probabilities.
    assertThat(forced.getTokenIds()).containsOnly(7);
    assertThat(forced.getTopLogprobs().get(0)).isEqualTo(plain.getTopLogprobs().get(0));
    assertThat(forced.getLogprobs().get(0)).isLessThan(plain.getLogprobs().get(0));
  }

  @Test
  void logprobsZeroReturnsOnlyTheChosenTokenAndNullNone() throws Exception {
    Completion chosen = get(greedy().setLogprobs(0));
    assertThat(chosen.getLogprobs()).hasSize(20);
    assertThat(chosen.getTopLogprobs()).isNull();
    assertThat(get(greedy()).getLogprobs()).isNull();
  }

  @Test
  void tokensOfAnOlderVersionWithoutAlternativesGiveTheSameOutcome() throws Exception {
    CompletionRequest request = greedy().setTemperature(0.8).setLogprobs(2).build();
    Completion whole = submit(request, GeneratedTokens.NONE);
    GeneratedTokens all = GeneratedTokens.of(whole);
    GeneratedTokens older = new GeneratedTokens(all.tokens(), all.logprobs());

    Completion resumed = submit(request, Requests.first(older, 5));

    assertThat(resumed.getTokenIds()).isEqualTo(whole.getTokenIds());
    assertThat(resumed.getTopLogprobs()).isEqualTo(whole.getTopLogprobs());
  }

  @Test
  void rejectsTokensThatTheModelDoesNotHave() {
    refused(
        greedy().setStopTokenIds(List.of(5, 300)),
        "stop_token_ids holds 300; token ids of this model range from 0 to 299");
    refused(
        greedy().setLogitBias(Map.of("-1", 1.0)),
        "logit_bias holds -1; token ids of this model range from 0 to 299");
  }

  private static void refused(CompletionRequest.Builder request, String message) {
    assertThatThrownBy(() -> get(request))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage(message);
  }

  private static CompletionRequest.Builder greedy() {
    return Requests.greedy("a", "some prompt", 20);
  }
}

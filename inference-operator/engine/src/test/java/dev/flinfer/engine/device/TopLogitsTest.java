package dev.flinfer.engine.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.Requests;
import dev.flinfer.engine.batching.FaultyForwardPass;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** An engine whose device finds the most likely tokens itself gives the same completions. */
final class TopLogitsTest {
  private static final int REQUESTS = 60;

  @Test
  void completionsAreThoseOfCompleteRows() throws Exception {
    List<Completion> expected = completions(new FaultyForwardPass(40));
    FaultyForwardPass selecting = new FaultyForwardPass(40);
    selecting.selects();
    List<Completion> actual = completions(selecting);

    for (int i = 0; i < REQUESTS; i++) {
      assertThat(actual.get(i).getTokenIds()).isEqualTo(expected.get(i).getTokenIds());
      assertThat(actual.get(i).getTopLogprobs() == null)
          .isEqualTo(expected.get(i).getTopLogprobs() == null);
      List<Float> logprobs = expected.get(i).getLogprobs();
      for (int t = 0; logprobs != null && t < logprobs.size(); t++) {
        assertThat(actual.get(i).getLogprobs().get(t)).isCloseTo(logprobs.get(t), offset(1e-5f));
      }
    }
    assertThat(actual).anyMatch(completion -> completion.getLogprobs() != null);
  }

  private static List<Completion> completions(FaultyForwardPass forward) throws Exception {
    try (LlmEngine engine = FaultyForwardPass.engine(forward, InstantSource.system())) {
      List<CompletableFuture<Completion>> all = new ArrayList<>();
      for (int i = 0; i < REQUESTS; i++) {
        CompletionRequest.Builder request = Requests.greedy("r" + i, "prompt " + i, 12);
        switch (i % 4) {
          case 0 -> request.setTemperature(0.8f);
          case 1 -> request.setRepetitionPenalty(1.2f);
          default -> request.setLogprobs(i % 7);
        }
        all.add(Requests.submit(engine, request.build(), GeneratedTokens.NONE));
      }
      List<Completion> completions = new ArrayList<>();
      for (CompletableFuture<Completion> completion : all) {
        completions.add(completion.get(60, TimeUnit.SECONDS));
      }
      return completions;
    }
  }

  @Test
  void aRequestWithANanRowIsRejected() {
    FaultyForwardPass forward = new FaultyForwardPass(40);
    forward.selects();
    forward.nanWhere(token -> token == 'x');
    try (LlmEngine engine = FaultyForwardPass.engine(forward, InstantSource.system())) {
      CompletionRequest request = Requests.greedy("bad", "ax", 4).build();
      assertThat(Requests.submit(engine, request, GeneratedTokens.NONE))
          .failsWithin(60, TimeUnit.SECONDS)
          .withThrowableThat()
          .withMessageContaining("its logits are NaN");
    }
  }
}

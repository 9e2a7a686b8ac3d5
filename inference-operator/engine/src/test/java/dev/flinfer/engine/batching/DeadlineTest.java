package dev.flinfer.engine.batching;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.Requests;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.FinishReason;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Deadlines, with a clock that the forward pass sets. */
@Timeout(60)
final class DeadlineTest {
  private static final long DEADLINE = 1_000;

  private volatile long now;

  @Test
  void aDeadlineThatPassesDuringGenerationKeepsTheTokensSoFar() throws Exception {
    CompletionRequest request = request();
    Completion whole = run(request.getDeadline() + 1, GeneratedTokens.NONE);
    assertThat(whole.getFinishReason()).isEqualTo(FinishReason.LENGTH);

    Completion late = run(5, GeneratedTokens.NONE);

    assertThat(late.getFinishReason()).isEqualTo(FinishReason.DEADLINE);
    assertThat(late.getTokenIds()).isEqualTo(whole.getTokenIds().subList(0, 5));
    assertThat(late.getLogprobs()).isEqualTo(whole.getLogprobs().subList(0, 5));
  }

  @Test
  void aDeadlineThatPassedBeforeARestoreKeepsTheTokensOfTheCheckpoint() throws Exception {
    Completion five = run(5, GeneratedTokens.NONE);
    now = DEADLINE;

    Completion restored = run(Long.MAX_VALUE, GeneratedTokens.of(five));

    assertThat(restored.getFinishReason()).isEqualTo(FinishReason.DEADLINE);
    assertThat(restored.getTokenIds()).isEqualTo(five.getTokenIds());
    assertThat(restored.getText()).isEqualTo(five.getText());
  }

  /** Runs the request; its deadline passes in the given step. */
  private Completion run(long lastStep, GeneratedTokens from) throws Exception {
    FaultyForwardPass forward = new FaultyForwardPass(20);
    forward.throwsWhere(
        (step, plan) -> {
          if (step == lastStep) {
            now = DEADLINE;
          }
          return false;
        });
    try (LlmEngine engine = FaultyForwardPass.engine(forward, () -> Instant.ofEpochMilli(now))) {
      CompletableFuture<Completion> done = Requests.submit(engine, request(), from);
      return done.get(30, TimeUnit.SECONDS);
    }
  }

  private static CompletionRequest request() {
    return Requests.greedy("a", "prompt", 30)
        .setIgnoreEos(true)
        .setLogprobs(1)
        .setDeadline(DEADLINE)
        .build();
  }
}

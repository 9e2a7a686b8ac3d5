package dev.flinfer.engine.batching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.Requests;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Many requests that the forward pass fails on, next to a few that run. */
@Timeout(60)
final class OffenderFloodTest {
  private static final int POISON = 200;
  private static final int RUNNING = 5;
  private static final int OFFENDERS = 20;

  /** By then all running requests have a token. */
  private static final long FLOOD_STEP = 8;

  @Test
  void runningRequestsAreNotComputedByThemselvesForEachOffender() throws Exception {
    FaultyForwardPass forward = new FaultyForwardPass(40);
    CompletableFuture<Void> submitted = new CompletableFuture<>();
    CompletableFuture<Void> reached = new CompletableFuture<>();
    CompletableFuture<Void> flooded = new CompletableFuture<>();
    AtomicInteger alone = new AtomicInteger();
    forward.throwsWhere(
        (step, plan) -> {
          submitted.join();
          if (step >= FLOOD_STEP) {
            reached.complete(null);
            flooded.join();
          }
          boolean bad = FaultyForwardPass.holds(plan, POISON);
          boolean probe = plan.rows() == 1 && plan.positions()[0] == 0;
          if (!bad && !probe && step >= FLOOD_STEP && plan.blockTables().length == 1) {
            alone.incrementAndGet();
          }
          return bad;
        });
    try (LlmEngine engine = FaultyForwardPass.engine(forward, InstantSource.system())) {
      List<CompletableFuture<Completion>> running = new ArrayList<>();
      for (int i = 0; i < RUNNING; i++) {
        running.add(Requests.submit(engine, innocent(i), GeneratedTokens.NONE));
      }
      submitted.complete(null);
      reached.get(30, TimeUnit.SECONDS);
      List<CompletableFuture<Completion>> offenders = new ArrayList<>();
      for (int i = 0; i < OFFENDERS; i++) {
        offenders.add(Requests.submit(engine, offender(i), GeneratedTokens.NONE));
      }
      flooded.complete(null);
      for (CompletableFuture<Completion> offender : offenders) {
        assertThatThrownBy(() -> offender.get(30, TimeUnit.SECONDS))
            .hasRootCauseInstanceOf(IllegalStateException.class)
            .hasMessageContaining("alone failed 3 times");
      }
      for (int i = 0; i < RUNNING; i++) {
        assertThat(running.get(i).get(30, TimeUnit.SECONDS).getTokenIds())
            .isEqualTo(undisturbed(innocent(i)));
      }
    }
    // Each running request once per offender would be a hundred.
    assertThat(alone).hasValueLessThan(OFFENDERS);
  }

  private static List<Integer> undisturbed(CompletionRequest request) throws Exception {
    FaultyForwardPass forward = new FaultyForwardPass(40);
    try (LlmEngine engine = FaultyForwardPass.engine(forward, InstantSource.system())) {
      return Requests.submit(engine, request, GeneratedTokens.NONE)
          .get(30, TimeUnit.SECONDS)
          .getTokenIds();
    }
  }

  private static CompletionRequest innocent(int i) {
    return Requests.greedy("running" + i, "prompt " + i, 60)
        .setIgnoreEos(true)
        .setLogitBias(Map.of(Integer.toString(POISON), -100.0))
        .build();
  }

  private static CompletionRequest offender(int i) {
    List<Integer> prompt = new ArrayList<>(IntStream.rangeClosed(1, 3 + i % 4).boxed().toList());
    prompt.add(POISON);
    return Requests.greedy("poison" + i, null, 5).setPromptTokenIds(prompt).build();
  }
}

package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How much a subtask admits, by tokens and by requests. */
@Timeout(20)
final class AdmissionTest {

  @Test
  void zeroTokensStandForTheCapacityOfTwoKvCaches() {
    Admission.Limits given = new Admission.Limits(4, 0);
    assertThat(given.orKvCache(1600)).isEqualTo(new Admission.Limits(4, 3200));
    assertThat(new Admission.Limits(4, 7).orKvCache(1600)).isEqualTo(new Admission.Limits(4, 7));
  }

  @Test
  void aFewLongPromptsBlockTheInput() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(1000, 30)) {
      harness.process(0, "a:" + "x".repeat(20) + ":1");
      harness.process(1, "b:" + "x".repeat(20) + ":1"); // 20 of 30 tokens: there is room
      CompletableFuture<Void> device = finishWhenTheTaskWaits(harness, "a");

      harness.process(2, "c:" + "x".repeat(5) + ":1"); // at 40 it waits for a

      device.get(10, TimeUnit.SECONDS);
      assertThat(harness.engine.submitted()).containsExactly("a", "b", "c");
      harness.assertOutput("a");
    }
  }

  @Test
  void manyShortPromptsFitIntoTheSameTokens() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(1000, 30)) {
      for (int i = 0; i < 29; i++) {
        harness.process(i, "r" + i + ":x:1"); // would wait forever if they were too many
      }
      assertThat(harness.engine.running()).hasSize(29);
    }
  }

  @Test
  void aPromptAboveTheLimitIsAdmittedIfTheEngineIsEmpty() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(1000, 1)) {
      for (int i = 0; i < 3; i++) {
        harness.process(i, "r" + i + ":" + "x".repeat(100) + ":1");
        harness.finish("r" + i);
      }
      assertThat(harness.completedIds()).containsExactly("r0", "r1", "r2");
    }
  }

  @Test
  void aRejectedRequestTakesNoTokens() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(1000, 10)) {
      harness.process(0, "a:" + "x".repeat(10) + ":1");
      harness.engine.giveUp("a", 3);
      harness.runMails();
      harness.process(1, "b:" + "x".repeat(10) + ":1");
      harness.finish("b");
      assertThat(harness.completedIds()).containsExactly("b");
    }
  }

  @Test
  void tokensOfOutcomesThatWaitForAWatermarkAreCounted() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(1000, 10)) {
      harness.process(0, "slow:x:9");
      harness.flink.processWatermark(10);
      for (int i = 1; i < 9; i++) { // 8 times 10 tokens may be held
        harness.process(i, "r" + i + ":" + "x".repeat(10) + ":1");
        harness.finish("r" + i);
      }
      harness.assertOutput();
      CompletableFuture<Void> device = finishWhenTheTaskWaits(harness, "slow");

      harness.process(9, "r9:x:1");

      device.get(10, TimeUnit.SECONDS);
      assertThat(harness.completedIds()).hasSize(9).startsWith("slow", "r1");
    }
  }

  private static CompletableFuture<Void> finishWhenTheTaskWaits(
      OperatorHarness harness, String id) {
    Thread task = Thread.currentThread();
    return CompletableFuture.runAsync(
        () -> {
          while (task.getState() != Thread.State.TIMED_WAITING) { // as the mailbox waits
            Thread.onSpinWait();
          }
          harness.engine.finish(id);
        });
  }
}

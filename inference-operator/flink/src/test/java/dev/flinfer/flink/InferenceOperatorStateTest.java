package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRecord;
import dev.flinfer.schema.InFlightRequest;
import dev.flinfer.schema.RejectionStage;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
final class InferenceOperatorStateTest {

  @Test
  void aRestoredRequestContinuesAfterItsLastToken() throws Exception {
    OperatorSubtaskState state;
    try (OperatorHarness harness = OperatorHarness.opened(4)) {
      harness.process(0, "a:hello:5");
      harness.process(1, "b:hello:5");
      harness.engine.step();
      harness.engine.step("a", "b");
      harness.engine.step("a");
      state = harness.checkpoint(1);
      harness.engine.step(); // lost
    }
    try (OperatorHarness harness = OperatorHarness.restored(state, 4)) {
      assertThat(harness.engine.submitted()).containsExactly("a", "b");
      GeneratedTokens from = harness.engine.resumedFrom("a");
      assertThat(from.tokens())
          .containsExactly(FakeEngine.tokensOf("a", 3).stream().mapToInt(i -> i).toArray());
      assertThat(from.logprobs()).hasSize(3);
      assertThat(from.logprobs()[2]).isEqualTo(-FakeEngine.tokenAt("a", 2));
      assertThat(harness.engine.resumedFrom("b").tokens()).hasSize(2);

      harness.process(2, "c:hello:1");
      harness.finish("a", "b", "c");

      harness.assertOutput("a", "b", "c");
      assertThat(harness.engine.stats().generatedTokens()).isEqualTo(2 + 3 + 1);
      CompletionRecord completion = harness.completions().get(0);
      assertThat(completion.getCompletion().getTokenIds()).isEqualTo(FakeEngine.tokensOf("a", 5));
      assertThat(completion.getKey()).isEqualTo(TestRecords.record(0, "").getKey());
      assertThat(completion.getHeaders()).isEqualTo(TestRecords.record(0, "").getHeaders());
    }
  }

  @Test
  void aRequestOfAnotherModelStartsAgainFromItsPrompt() throws Exception {
    OperatorSubtaskState state;
    try (OperatorHarness harness = OperatorHarness.opened(4)) {
      harness.process(0, "a:hello:5");
      harness.engine.step();
      state = harness.checkpoint(1);
    }
    try (OperatorHarness harness = OperatorHarness.restoredWith("1", state)) {
      assertThat(harness.engine.resumedFrom("a").tokens()).isEmpty();
      assertThat(harness.engine.resumedFrom("a").logprobs()).isEmpty();
      harness.engine.step("a");
      harness.engine.step("a");
      state = harness.checkpoint(2);
    }
    try (OperatorHarness harness = OperatorHarness.restoredWith("1", state)) {
      assertThat(harness.engine.resumedFrom("a").tokens()).hasSize(2); // its own tokens
      harness.finish("a");
      harness.assertOutput("a");
    }
  }

  @Test
  void eventTimesAreKeptInTheState() throws Exception {
    OperatorSubtaskState state;
    try (OperatorHarness harness = OperatorHarness.opened(4)) {
      harness.process(0, "a:hello:5");
      harness.flink.processElement(new StreamRecord<>(TestRecords.record(1, "b:hello:5")));
      harness.flink.processWatermark(10);
      harness.process(2, "!c");
      state = harness.checkpoint(1);
    }
    try (OperatorHarness harness = OperatorHarness.restored(state, 4)) {
      harness.finish("a", "b");
      List<? extends StreamRecord<? extends CompletionRecord>> out =
          harness.flink.extractOutputStreamRecords();
      assertThat(out.get(0).getTimestamp()).isEqualTo(OperatorHarness.eventTime(0));
      assertThat(out.get(1).hasTimestamp()).isFalse(); // though the record has a timestamp
      assertThat(harness.flink.getSideOutput(InferenceOperator.REJECTIONS).peek().getTimestamp())
          .isEqualTo(OperatorHarness.eventTime(2));
    }
  }

  @Test
  void attemptsAreRestored() throws Exception {
    InFlightRequest failedTwice =
        InFlightRequest.newBuilder()
            .setRecord(TestRecords.record(0, "a:hello:2"))
            .setAttempts(2)
            .setVersion(2)
            .build();
    assertThat(InFlight.restored(failedTwice).resumeFrom().attempts()).isEqualTo(2);
    assertThat(InFlight.restored(failedTwice).state()).isEqualTo(failedTwice);
  }

  @Test
  void finishedRequestsAreSentBeforeTheBarrierAndAreNotInTheState() throws Exception {
    OperatorSubtaskState state;
    try (OperatorHarness harness = OperatorHarness.opened(4)) {
      harness.process(0, "a:hello:1");
      harness.process(1, "b:hello:1");
      harness.engine.finish("a"); // its mail has not run
      state = harness.checkpoint(1);
      harness.assertOutput("a");
      harness.runMails();
      harness.assertOutput("a");
    }
    try (OperatorHarness harness = OperatorHarness.restored(state, 4)) {
      assertThat(harness.engine.submitted()).containsExactly("b");
    }
  }

  @Test
  void aCompletionThatWaitsForAWatermarkIsInTheStateWithAllItsTokens() throws Exception {
    OperatorSubtaskState state;
    try (OperatorHarness harness = OperatorHarness.opened(4)) {
      harness.process(0, "a:hello:2");
      harness.flink.processWatermark(10);
      harness.process(1, "b:hello:2");
      harness.process(2, "!x");
      harness.finish("b");
      state = harness.checkpoint(1);
      harness.assertOutput();
    }
    try (OperatorHarness harness = OperatorHarness.restored(state, 4)) {
      assertThat(harness.engine.submitted()).containsExactly("a", "b");
      assertThat(harness.engine.resumedFrom("b").tokens()).hasSize(2);
      assertThat(harness.engine.resumedFrom("b").logprobs()).hasSize(2);
      harness.finish("b", "a");
      harness.assertOutput("b", "a");
      assertThat(harness.rejections()).hasSize(1);
    }
  }

  @Test
  void aRestoredRecordThatCannotBeReadIsRejected() throws Exception {
    OperatorSubtaskState state;
    try (OperatorHarness harness = OperatorHarness.opened(4)) {
      harness.process(0, "a:hello:2");
      harness.flink.processWatermark(10);
      harness.process(1, "!x");
      state = harness.checkpoint(1);
    }
    try (OperatorHarness harness = OperatorHarness.restored(state, 4)) {
      assertThat(harness.rejections()).hasSize(1);
      assertThat(harness.rejections().get(0).getStage()).isEqualTo(RejectionStage.DESERIALIZE);
      assertThat(harness.engine.submitted()).containsExactly("a");
    }
  }

  @Test
  void restoredRequestsAboveTheLimitWaitAndGoBeforeNewInput() throws Exception {
    OperatorSubtaskState state;
    try (OperatorHarness harness = OperatorHarness.opened(5)) {
      for (int i = 0; i < 5; i++) {
        harness.process(i, "r" + i + ":hello:2");
      }
      harness.engine.step();
      state = harness.checkpoint(1);
    }
    try (OperatorHarness harness = OperatorHarness.restored(state, 2)) {
      assertThat(harness.engine.submitted()).containsExactly("r0", "r1");
      state = harness.checkpoint(2); // the waiting requests are in it
      CompletableFuture<Void> device = finishAll(harness.engine, "new");

      harness.process(9, "new:hello:2");

      harness.flink.endInput();
      device.get(10, TimeUnit.SECONDS);
      assertThat(harness.engine.submitted()).containsExactly("r0", "r1", "r2", "r3", "r4", "new");
      assertThat(harness.completedIds())
          .containsExactlyInAnyOrder("r0", "r1", "r2", "r3", "r4", "new");
    }
    try (OperatorHarness harness = OperatorHarness.restored(state, 5)) {
      assertThat(harness.engine.submitted()).containsExactly("r0", "r1", "r2", "r3", "r4");
      assertThat(harness.engine.resumedFrom("r4").tokens()).hasSize(1);
    }
  }

  @Test
  void outcomesThatWaitForAWatermarkBlockTheInputToo() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(2)) {
      harness.process(0, "slow:hello:9");
      harness.flink.processWatermark(10);
      for (int i = 1; i < 16; i++) {
        harness.process(i, "r" + i + ":hello:1");
        harness.finish("r" + i);
      }
      harness.assertOutput();
      CompletableFuture<Void> device = finishAll(harness.engine, "slow");

      harness.process(16, "r16:hello:1"); // waits until slow is finished and the others are sent

      device.get(10, TimeUnit.SECONDS);
      assertThat(harness.completedIds()).hasSize(16).startsWith("slow", "r1");
    }
  }

  @Test
  void rescalingKeepsEachRequestOnce() throws Exception {
    int requests = 10;
    OperatorSubtaskState one;
    try (OperatorHarness harness = OperatorHarness.opened(requests)) {
      for (int i = 0; i < requests; i++) {
        harness.process(i, "r" + i + ":hello:3");
      }
      harness.engine.step();
      one = harness.checkpoint(1);
    }
    OperatorSubtaskState three = runAndRepackage(one, 1, 3);
    List<Completion> completions = new ArrayList<>();
    for (int subtask = 0; subtask < 2; subtask++) {
      try (OperatorHarness harness = OperatorHarness.restored(three, requests, 3, 2, subtask)) {
        for (String id : harness.engine.running()) {
          assertThat(harness.engine.resumedFrom(id).tokens()).hasSize(2);
        }
        assertThat(harness.engine.running()).hasSize(requests / 2);
        harness.engine.step();
        harness.runMails();
        harness.completions().forEach(record -> completions.add(record.getCompletion()));
      }
    }
    assertThat(completions)
        .extracting(Completion::getId)
        .containsExactlyInAnyOrderElementsOf(
            IntStream.range(0, requests).mapToObj(i -> "r" + i).toList());
    assertThat(completions)
        .allSatisfy(
            completion ->
                assertThat(completion.getTokenIds())
                    .isEqualTo(FakeEngine.tokensOf(completion.getId(), 3)));
  }

  /**
   * Restores with another parallelism, generates one more token per request, takes a checkpoint.
   */
  private static OperatorSubtaskState runAndRepackage(
      OperatorSubtaskState state, int before, int parallelism) throws Exception {
    OperatorSubtaskState[] states = new OperatorSubtaskState[parallelism];
    for (int subtask = 0; subtask < parallelism; subtask++) {
      try (OperatorHarness harness =
          OperatorHarness.restored(state, 10, before, parallelism, subtask)) {
        assertThat(harness.engine.running()).isNotEmpty();
        harness.engine.step();
        states[subtask] = harness.checkpoint(2);
      }
    }
    return AbstractStreamOperatorTestHarness.repackageState(states);
  }

  /** A device that works until it has finished the given request. */
  private static CompletableFuture<Void> finishAll(FakeEngine engine, String last) {
    return CompletableFuture.runAsync(
        () -> {
          while (!engine.submitted().contains(last) || engine.running().contains(last)) {
            engine.step();
            Thread.onSpinWait();
          }
        });
  }
}

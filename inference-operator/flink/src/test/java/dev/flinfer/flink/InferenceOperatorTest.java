package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.EngineException;
import dev.flinfer.schema.CompletionRecord;
import dev.flinfer.schema.SourceRecord;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
final class InferenceOperatorTest {

  @Test
  void aCompletionHasKeyHeadersAndTimestampOfItsRecord() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(2)) {
      harness.process(5, "a:hello:2");
      assertThat(harness.completions()).isEmpty();

      harness.finish("a");

      assertThat(harness.flink.extractOutputStreamRecords()).hasSize(1);
      StreamRecord<? extends CompletionRecord> element =
          harness.flink.extractOutputStreamRecords().get(0);
      assertThat(element.getTimestamp()).isEqualTo(OperatorHarness.eventTime(5));
      SourceRecord source = TestRecords.record(5, "");
      assertThat(element.getValue().getKey()).isEqualTo(source.getKey());
      assertThat(element.getValue().getHeaders()).isEqualTo(source.getHeaders());
      assertThat(element.getValue().getCompletion().getText()).isEqualTo("hello, answered");
      assertThat(element.getValue().getCompletion().getTokenIds())
          .isEqualTo(FakeEngine.tokensOf("a", 2));
    }
  }

  @Test
  void completionsAreSentInTheOrderInWhichTheyFinish() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(3)) {
      harness.process(0, "a:hello:9");
      harness.process(1, "b:hello:1");

      harness.finish("b");
      harness.assertOutput("b");

      harness.finish("a");
      harness.assertOutput("b", "a");
    }
  }

  @Test
  void anElementWithoutTimestampGivesACompletionWithoutOne() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(3)) {
      harness.flink.processElement(new StreamRecord<>(TestRecords.record(0, "a:hello:1")));
      harness.finish("a");
      assertThat(harness.flink.extractOutputStreamRecords().get(0).hasTimestamp()).isFalse();
    }
  }

  @Test
  void aFullEngineBlocksTheInputUntilARequestIsFinished() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(2)) {
      harness.process(0, "a:hello:1");
      harness.process(1, "b:hello:1");
      Thread task = Thread.currentThread();
      CompletableFuture<Void> device =
          CompletableFuture.runAsync(
              () -> {
                while (task.getState() != Thread.State.TIMED_WAITING) { // as the mailbox waits
                  Thread.onSpinWait();
                }
                assertThat(harness.engine.submitted()).containsExactly("a", "b");
                harness.engine.finish("b");
              });

      harness.process(2, "c:hello:1"); // returns when b is finished

      device.get(10, TimeUnit.SECONDS);
      harness.assertOutput("b");
      assertThat(harness.engine.running()).containsExactly("a", "c");
    }
  }

  @Test
  void aTombstoneIsSkipped() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(1)) {
      harness.process(0, null);
      harness.process(1, "b:hello:1");
      harness.finish("b");

      harness.assertOutput("b");
      assertThat(harness.rejections()).isEmpty();
    }
  }

  @Test
  void aMissingIdIsDerivedFromTopicPartitionAndOffset() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(1)) {
      harness.process(12, ":hello:1");
      harness.finish("prompts-7-12");
      harness.assertOutput("prompts-7-12");
    }
  }

  @Test
  void endOfInputWaitsForAllRequests() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(3)) {
      harness.process(0, "a:hello:1");
      harness.process(1, "b:hello:1");
      harness.flink.processWatermark(Long.MAX_VALUE);
      CompletableFuture<Void> device =
          CompletableFuture.runAsync(() -> harness.engine.finish("b", "a"));

      harness.flink.endInput();

      device.get(10, TimeUnit.SECONDS);
      harness.assertOutput("b", "a", Long.MAX_VALUE);
      assertThat(harness.throughput()).hasSize(1);
      assertThat(harness.throughput().get(0).getRequests()).isEqualTo(2);
    }
  }

  @Test
  void endOfInputReportsNothingIfEverythingIsReported() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(3)) {
      harness.flink.endInput();
      assertThat(harness.throughput()).isEmpty();
    }
  }

  @Test
  void closeCancelsUnfinishedRequestsAndReleasesTheEngineOnce() throws Exception {
    OperatorHarness harness = OperatorHarness.opened(3);
    harness.process(0, "a:hello:1");
    harness.process(1, "b:hello:1");
    harness.finish("b");

    harness.flink.getOperator().close();
    harness.close();

    assertThat(harness.engine.cancelled()).containsExactly("a");
    assertThat(harness.engine.closes()).isEqualTo(1);
  }

  /** Flink ends the TaskManager when the clean-up of a failed task throws. */
  @Test
  void anEngineThatFailsToCloseDoesNotFailTheCleanUp() throws Exception {
    OperatorHarness harness = OperatorHarness.opened(1);
    harness.engine.failToClose(new EngineException("the device has disappeared"));
    harness.flink.getOperator().close();
    assertThat(harness.engine.closes()).isEqualTo(1);
    harness.close();
  }

  @Test
  void anOperatorThatWasNeverOpenedReleasesNothing() throws Exception {
    OperatorHarness harness = OperatorHarness.closed(1);
    harness.close();
    assertThat(harness.engine.closes()).isZero();
  }

  @Test
  void anOperatorThatFailedToOpenReleasesTheEngineOnce() throws Exception {
    OperatorSubtaskState state;
    try (OperatorHarness harness = OperatorHarness.opened(1)) {
      harness.process(0, "a:hello:1");
      state = harness.checkpoint(1);
    }
    OperatorHarness harness = OperatorHarness.closed(1);
    harness.engine.die(new EngineException("out of memory"));
    harness.flink.initializeState(state);
    assertThatThrownBy(harness.flink::open).hasMessageStartingWith("out of memory; ");
    assertThat(harness.engine.closes()).isZero();

    harness.close();

    assertThat(harness.engine.closes()).isEqualTo(1);
  }

  @Test
  void aSecondCompletionOfARequestFailsTheTask() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(1)) {
      harness.process(0, "a:hello:1");
      harness.engine.completeTwice("a");
      assertThatThrownBy(harness::runMails)
          .hasMessage("the engine completed request a twice; a request has one completion");
      harness.assertOutput("a");
    }
  }

  @Test
  void aResultAfterTheTaskHasEndedIsDropped() throws Exception {
    OperatorHarness harness = OperatorHarness.opened(3);
    harness.process(0, "a:hello:1");
    harness.flink.getTaskMailbox().close();

    harness.engine.finish("a"); // must not throw into the engine's thread

    harness.assertOutput();
  }

  @Test
  void aDeadEngineFailsTheTask() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(3)) {
      EngineException cause = new EngineException("out of memory");
      harness.process(0, "a:hello:1");
      harness.engine.die(cause);

      assertThatThrownBy(harness::runMails)
          .isInstanceOf(EngineException.class)
          .hasMessage(
              "out of memory; the task fails so that Flink restarts it from the last checkpoint")
          .hasCause(cause);
      assertThatThrownBy(() -> harness.process(1, "b:hello:1")).hasCause(cause);
    }
  }

  @Test
  void aCheckpointFindsAnEngineThatFailedInSilence() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(3)) {
      harness.process(0, "a:hello:1");
      harness.checkpoint(1);
      harness.engine.loseNotifications();
      harness.engine.die(new EngineException("out of memory"));
      harness.runMails();

      assertThatThrownBy(() -> harness.checkpoint(2))
          .isInstanceOf(EngineException.class)
          .hasMessageStartingWith("The engine for model fake failed; the task fails so that");
    }
  }

  @Test
  void keepsACopyIfObjectsAreReused() throws Exception {
    try (OperatorHarness harness = OperatorHarness.closed(3)) {
      harness.flink.getExecutionConfig().enableObjectReuse();
      harness.flink.open();
      SourceRecord reused = TestRecords.record(0, "a:hello:1");
      harness.flink.processElement(reused, 0);
      reused.setKey(TestRecords.bytes("overwritten"));
      reused.getHeaders().get(0).setName("overwritten");

      harness.finish("a");

      CompletionRecord completion = harness.completions().get(0);
      assertThat(TestRecords.text(completion.getKey())).isEqualTo("key 0");
      assertThat(completion.getHeaders().get(0).getName()).isEqualTo("trace");
    }
  }
}

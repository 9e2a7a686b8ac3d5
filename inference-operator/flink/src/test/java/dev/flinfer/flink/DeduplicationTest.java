package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.schema.SourceRecord;
import java.time.Duration;
import java.util.List;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;

final class DeduplicationTest {
  private static final Duration TTL = Duration.ofMinutes(10);

  @Test
  void theFirstRequestWithAnIdIsPassedOnAndLaterOnesAreDropped() throws Exception {
    try (KeyedOneInputStreamOperatorTestHarness<String, SourceRecord, SourceRecord> harness =
        harness()) {
      harness.open();
      process(harness, 0, "a:hello:1");
      process(harness, 1, "b:hello:1");
      process(harness, 2, "a:hello:1");
      process(harness, 3, "a:another prompt:9");
      assertThat(offsets(harness)).containsExactly(0L, 1L);
    }
  }

  @Test
  void recordsWithoutAnIdArePassedOn() throws Exception {
    try (KeyedOneInputStreamOperatorTestHarness<String, SourceRecord, SourceRecord> harness =
        harness()) {
      harness.open();
      process(harness, 0, ":hello:1");
      process(harness, 1, ":hello:1");
      process(harness, 2, "!x");
      process(harness, 3, "!x");
      process(harness, 4, null);
      process(harness, 5, null);
      process(harness, 6, "prompts-7-0:looks like the place of the first:1");
      assertThat(offsets(harness)).containsExactly(0L, 1L, 2L, 3L, 4L, 5L, 6L);
    }
  }

  @Test
  void anIdIsForgottenSomeTimeAfterItsFirstRequest() throws Exception {
    try (KeyedOneInputStreamOperatorTestHarness<String, SourceRecord, SourceRecord> harness =
        harness()) {
      harness.open();
      process(harness, 0, "a:hello:1");
      harness.setStateTtlProcessingTime(TTL.toMillis() - 1);
      process(harness, 1, "a:hello:1"); // does not restart the time
      harness.setStateTtlProcessingTime(TTL.toMillis());
      process(harness, 2, "a:hello:1");
      assertThat(offsets(harness)).containsExactly(0L, 2L);
    }
  }

  @Test
  void idsAreInTheCheckpoint() throws Exception {
    OperatorSubtaskState state;
    try (KeyedOneInputStreamOperatorTestHarness<String, SourceRecord, SourceRecord> harness =
        harness()) {
      harness.open();
      process(harness, 0, "a:hello:1");
      state = harness.snapshot(1, 1);
      process(harness, 1, "b:hello:1"); // after the checkpoint: it is read again
    }
    try (KeyedOneInputStreamOperatorTestHarness<String, SourceRecord, SourceRecord> harness =
        harness()) {
      harness.initializeState(state);
      harness.open();
      process(harness, 1, "b:hello:1");
      process(harness, 2, "a:hello:1");
      assertThat(offsets(harness)).containsExactly(1L);
    }
  }

  private static KeyedOneInputStreamOperatorTestHarness<String, SourceRecord, SourceRecord>
      harness() throws Exception {
    return new KeyedOneInputStreamOperatorTestHarness<>(
        new KeyedProcessOperator<>(new Deduplication(TTL)),
        new Deduplication.RequestKey(() -> TestRecords::read),
        Types.STRING);
  }

  private static void process(
      KeyedOneInputStreamOperatorTestHarness<String, SourceRecord, SourceRecord> harness,
      long offset,
      String value)
      throws Exception {
    harness.processElement(TestRecords.record(offset, value), offset);
  }

  private static List<Long> offsets(
      KeyedOneInputStreamOperatorTestHarness<String, SourceRecord, SourceRecord> harness) {
    return harness.extractOutputValues().stream().map(SourceRecord::getOffset).toList();
  }
}

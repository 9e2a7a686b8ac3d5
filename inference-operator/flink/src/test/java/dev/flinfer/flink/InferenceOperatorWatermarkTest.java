package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.flink.streaming.runtime.watermarkstatus.WatermarkStatus;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
final class InferenceOperatorWatermarkTest {

  @Test
  void aWatermarkWaitsForTheRecordsBeforeItAndNoLonger() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(9)) {
      harness.process(0, "a:hello:1");
      harness.process(1, "b:hello:1");
      harness.flink.processWatermark(10);
      harness.process(2, "c:hello:1");

      harness.finish("b");
      harness.assertOutput("b");

      harness.finish("a"); // c is unfinished and came after it
      harness.assertOutput("b", "a", 10L);
    }
  }

  @Test
  void anOutcomeWaitsForTheWatermarkBeforeItsRecord() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(9)) {
      harness.process(0, "a:hello:1");
      harness.flink.processWatermark(10);
      harness.process(1, "b:hello:1");
      harness.process(2, "!x"); // a rejection keeps its place too
      harness.flink.processWatermark(20);

      harness.finish("b");
      harness.assertOutput();
      assertThat(harness.rejections()).isEmpty();

      harness.finish("a");
      harness.assertOutput("a", 10L, "b", 20L);
      assertThat(harness.rejections()).hasSize(1);
    }
  }

  @Test
  void aWatermarkIsSentAtOnceIfNoRequestIsUnfinished() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(9)) {
      harness.process(0, "!x");
      harness.process(1, null);
      harness.flink.processWatermark(10);
      harness.assertOutput(10L);
    }
  }

  @Test
  void idleInputDoesNotStallRequestsInFlight() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(9)) {
      harness.process(0, "a:hello:1");
      harness.flink.processWatermarkStatus(WatermarkStatus.IDLE);
      harness.assertOutput(); // after an idle status a would be late or ignored

      harness.finish("a");
      harness.assertOutput("a", WatermarkStatus.IDLE);

      harness.flink.processWatermarkStatus(WatermarkStatus.ACTIVE);
      harness.process(1, "b:hello:1");
      harness.flink.processWatermark(20);
      harness.finish("b");
      harness.assertOutput("a", WatermarkStatus.IDLE, WatermarkStatus.ACTIVE, "b", 20L);
    }
  }

  @Test
  void anIdleStatusWaitsForTheWatermarkBeforeIt() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(9)) {
      harness.process(0, "a:hello:1");
      harness.flink.processWatermark(10);
      harness.flink.processWatermarkStatus(WatermarkStatus.IDLE);
      harness.assertOutput();

      harness.finish("a");
      harness.assertOutput("a", 10L, WatermarkStatus.IDLE);

      harness.flink.processWatermarkStatus(WatermarkStatus.ACTIVE);
      harness.assertOutput("a", 10L, WatermarkStatus.IDLE, WatermarkStatus.ACTIVE);
    }
  }
}

package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.schema.Throughput;
import java.util.Random;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(20)
final class InferenceOperatorThroughputTest {

  @Test
  void everyIntervalIsReportedAndTheRemainderAtTheEnd() throws Exception {
    try (OperatorHarness harness = OperatorHarness.closed(9)) {
      harness.flink.setProcessingTime(5_000);
      harness.flink.open();
      harness.process(0, "a:hello:4");
      harness.process(1, "b:hello:4");
      harness.process(2, "!x");
      harness.engine.latency(20);
      for (int i = 0; i < 4; i++) {
        harness.engine.step();
      }
      harness.runMails();
      harness.flink.setProcessingTime(14_999);
      assertThat(harness.throughput()).isEmpty();

      harness.flink.setProcessingTime(15_000);
      harness.process(3, "c:hello:5");
      harness.flink.setProcessingTime(25_000); // nothing finished
      harness.finish("c");
      harness.flink.setProcessingTime(26_000);
      harness.flink.endInput();
      harness.flink.setProcessingTime(99_000); // the task waits for its last checkpoint

      assertThat(harness.throughput()).hasSize(3);
      Throughput first = harness.throughput().get(0);
      assertWindow(first, 5_000, 15_000, 2, 1, 8);
      assertThat(first.getPromptTokens()).isEqualTo(10);
      assertThat(first.getCachedTokens()).isEqualTo(2);
      assertThat(first.getTokensPerSecond()).isEqualTo(0.8);
      assertThat(first.getMeanBatchSize()).isEqualTo(2.0);
      assertThat(first.getPrefixCacheHits()).isEqualTo(8);
      assertThat(first.getQueueLength()).isEqualTo(3);
      assertThat(first.getDevice()).isEqualTo("test device");
      assertThat(first.getModel()).isEqualTo("fake");
      assertThat(first.getLatencyP50Ms()).isBetween(19.9, 20.1);
      assertThat(first.getTimeToFirstTokenP50Ms()).isBetween(9.9, 10.1);
      assertWindow(harness.throughput().get(1), 15_000, 25_000, 0, 0, 0);
      assertWindow(harness.throughput().get(2), 25_000, 26_000, 1, 0, 5);
      assertThat(harness.throughput().get(2).getMeanBatchSize()).isEqualTo(1.0);
      assertThat(harness.flink.getSideOutput(InferenceOperator.THROUGHPUT).peek().getTimestamp())
          .isEqualTo(15_000);
    }
  }

  /** A law that a consumer can check for each transaction of the metrics topic. */
  @Test
  void theReportsBeforeABarrierAddUpToTheOutcomesBeforeIt() throws Exception {
    Random random = new Random(5);
    OperatorSubtaskState state = null;
    long committedReports = 0;
    long committedOutcomes = 0;
    long offset = 0;
    for (int run = 0; run < 6; run++) { // each run ends in a failure after its last checkpoint
      try (OperatorHarness harness =
          state == null ? OperatorHarness.opened(50) : OperatorHarness.restored(state, 50)) {
        for (int checkpoint = 1; checkpoint <= 5; checkpoint++) {
          for (int i = random.nextInt(6); i > 0; i--, offset++) {
            harness.process(offset, random.nextInt(4) == 0 ? "!x" : "r" + offset + ":hello:3");
          }
          harness.engine.step();
          if (random.nextBoolean()) {
            harness.runMails();
            harness.flink.setProcessingTime(
                harness.flink.getProcessingTime() + random.nextInt(15_000));
          }
          state = harness.checkpoint(checkpoint);
        }
        committedReports += outcomesReported(harness);
        committedOutcomes += harness.completions().size() + harness.rejections().size();
        assertThat(committedReports).isEqualTo(committedOutcomes);
        harness.process(offset, "lost:hello:1"); // another run reads it again
        harness.finish("lost");
      }
    }
    assertThat(committedOutcomes).isGreaterThan(30);
  }

  private static long outcomesReported(OperatorHarness harness) {
    return harness.throughput().stream()
        .mapToLong(report -> report.getRequests() + report.getRejections())
        .sum();
  }

  @Test
  void aCheckpointWithoutOutcomesReportsNothing() throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(9)) {
      harness.process(0, "a:hello:4");
      harness.checkpoint(1);
      assertThat(harness.throughput()).isEmpty();
    }
  }

  private static void assertWindow(
      Throughput report, long start, long end, long requests, long rejections, long tokens) {
    assertThat(report.getWindowStart()).isEqualTo(start);
    assertThat(report.getWindowEnd()).isEqualTo(end);
    assertThat(report.getRequests()).isEqualTo(requests);
    assertThat(report.getRejections()).isEqualTo(rejections);
    assertThat(report.getCompletionTokens()).isEqualTo(tokens);
  }
}

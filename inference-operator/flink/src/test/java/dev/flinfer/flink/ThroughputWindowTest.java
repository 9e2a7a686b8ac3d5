package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.flinfer.engine.EngineStats;
import dev.flinfer.engine.ModelInfo;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.FinishReason;
import dev.flinfer.schema.Throughput;
import org.junit.jupiter.api.Test;

final class ThroughputWindowTest {
  private static final ModelInfo MODEL = new ModelInfo("phi", "0", "a device", 2048, 51_200);

  private final ThroughputWindow window = new ThroughputWindow(3, MODEL, 1_000, stats(10, 40, 7));

  @Test
  void addsUpCompletionsAndRejections() {
    for (int i = 1; i <= 100; i++) {
      window.completed(completion(5, 2, 10, i, i / 10.0));
    }
    window.rejected();

    Throughput report = window.close(3_000, stats(20, 70, 9));

    assertThat(report.getWindowStart()).isEqualTo(1_000);
    assertThat(report.getWindowEnd()).isEqualTo(3_000);
    assertThat(report.getSubtask()).isEqualTo(3);
    assertThat(report.getDevice()).isEqualTo("a device");
    assertThat(report.getModel()).isEqualTo("phi");
    assertThat(report.getRequests()).isEqualTo(100);
    assertThat(report.getRejections()).isEqualTo(1);
    assertThat(report.getPromptTokens()).isEqualTo(500);
    assertThat(report.getCachedTokens()).isEqualTo(200);
    assertThat(report.getCompletionTokens()).isEqualTo(1_000);
    assertThat(report.getTokensPerSecond()).isEqualTo(500.0);
    assertThat(report.getMeanBatchSize()).isEqualTo(3.0);
    assertThat(report.getPrefixCacheHits()).isEqualTo(2);
    assertThat(report.getQueueLength()).isEqualTo(6);
    assertThat(report.getKvBlocksUsed()).isEqualTo(7);
    assertThat(report.getKvBlocksTotal()).isEqualTo(8);
  }

  @Test
  void quantilesAreMillisecondsToThreeDigits() {
    for (int i = 1; i <= 100; i++) {
      window.completed(completion(5, 2, 10, i, i / 10.0));
    }

    Throughput report = window.close(3_000, stats(20, 70, 9));

    assertThat(report.getLatencyP50Ms()).isCloseTo(50, within(0.1));
    assertThat(report.getLatencyP95Ms()).isCloseTo(95, within(0.1));
    assertThat(report.getLatencyP99Ms()).isCloseTo(99, within(0.1));
    assertThat(report.getTimeToFirstTokenP50Ms()).isCloseTo(5, within(0.01));
    assertThat(report.getTimeToFirstTokenP95Ms()).isCloseTo(9.5, within(0.01));
    assertThat(report.getTimeToFirstTokenP99Ms()).isCloseTo(9.9, within(0.01));
  }

  @Test
  void theNextWindowIsEmptyAndStartsWhereTheLastEnded() {
    window.completed(completion(5, 2, 10, 20, 2));
    window.rejected();
    Throughput first = window.close(3_000, stats(20, 70, 9));
    assertThat(window.isEmpty()).isTrue();

    Throughput second = window.close(4_000, stats(22, 71, 9));

    assertThat(second.getWindowStart()).isEqualTo(first.getWindowEnd());
    assertThat(second.getRequests()).isZero();
    assertThat(second.getRejections()).isZero();
    assertThat(second.getPromptTokens()).isZero();
    assertThat(second.getCachedTokens()).isZero();
    assertThat(second.getCompletionTokens()).isZero();
    assertThat(second.getTokensPerSecond()).isZero();
    assertThat(second.getMeanBatchSize()).isEqualTo(0.5);
    assertThat(second.getPrefixCacheHits()).isZero();
    assertThat(second.getLatencyP99Ms()).isZero();
    assertThat(second.getTimeToFirstTokenP99Ms()).isZero();
  }

  @Test
  void aWindowWithoutStepsOrDurationHasFiniteValues() {
    window.completed(completion(5, 2, 10, 20, 2));

    Throughput report = window.close(1_000, stats(10, 40, 7));

    assertThat(report.getMeanBatchSize()).isZero();
    assertThat(report.getTokensPerSecond()).isEqualTo(10_000); // as in one millisecond
  }

  @Test
  void isEmptyUntilARequestIsFinished() {
    assertThat(window.isEmpty()).isTrue();
    window.rejected();
    assertThat(window.isEmpty()).isFalse();
  }

  private static EngineStats stats(long steps, long sequences, long prefixCacheHits) {
    return new EngineStats(steps, sequences, 0, 0, prefixCacheHits, 0, 0, 5, 6, 7, 8);
  }

  private static Completion completion(
      int promptTokens, int cachedTokens, int tokens, double latencyMs, double firstTokenMs) {
    return Completion.newBuilder()
        .setId("a")
        .setText("")
        .setFinishReason(FinishReason.STOP)
        .setPromptTokens(promptTokens)
        .setCachedTokens(cachedTokens)
        .setCompletionTokens(tokens)
        .setModel("phi")
        .setModelDigest("0")
        .setLatencyMs(latencyMs)
        .setTimeToFirstTokenMs(firstTokenMs)
        .build();
  }
}

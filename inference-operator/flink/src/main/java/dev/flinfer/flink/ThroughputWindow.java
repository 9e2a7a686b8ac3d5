package dev.flinfer.flink;

import dev.flinfer.engine.EngineStats;
import dev.flinfer.engine.ModelInfo;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.Throughput;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * Adds up the work of a subtask since the last report; the next window starts where the last ended.
 * Pure: uses no clock. Not thread-safe.
 */
final class ThroughputWindow {
  private static final int SIGNIFICANT_DIGITS = 3;

  private final int subtask;
  private final ModelInfo model;
  // microseconds
  private final Histogram latency = new Histogram(SIGNIFICANT_DIGITS);
  private final Histogram timeToFirstToken = new Histogram(SIGNIFICANT_DIGITS);
  private long start;
  private EngineStats before;
  private long requests;
  private long rejections;
  private long promptTokens;
  private long cachedTokens;
  private long completionTokens;

  /**
   * @param now milliseconds since the epoch
   */
  ThroughputWindow(int subtask, ModelInfo model, long now, EngineStats stats) {
    this.subtask = subtask;
    this.model = model;
    this.start = now;
    this.before = stats;
  }

  void completed(Completion completion) {
    requests++;
    promptTokens += completion.getPromptTokens();
    cachedTokens += completion.getCachedTokens();
    completionTokens += completion.getCompletionTokens();
    latency.recordValue(micros(completion.getLatencyMs()));
    timeToFirstToken.recordValue(micros(completion.getTimeToFirstTokenMs()));
  }

  void rejected() {
    rejections++;
  }

  boolean isEmpty() {
    return requests == 0 && rejections == 0;
  }

  /** Ends the window, returns its report and starts the next window. */
  Throughput close(long now, EngineStats stats) {
    long steps = stats.steps() - before.steps();
    double seconds = Math.max(1, now - start) / 1000.0; // a clock may stop or go back
    Throughput report =
        Throughput.newBuilder()
            .setWindowStart(start)
            .setWindowEnd(now)
            .setSubtask(subtask)
            .setDevice(model.device())
            .setModel(model.name())
            .setRequests(requests)
            .setRejections(rejections)
            .setPromptTokens(promptTokens)
            .setCachedTokens(cachedTokens)
            .setCompletionTokens(completionTokens)
            .setTokensPerSecond(completionTokens / seconds)
            .setMeanBatchSize(
                steps == 0 ? 0 : (double) (stats.sequences() - before.sequences()) / steps)
            .setQueueLength(stats.waiting())
            .setKvBlocksUsed(stats.kvBlocksUsed())
            .setKvBlocksTotal(stats.kvBlocksTotal())
            .setPrefixCacheHits(stats.prefixCacheHits() - before.prefixCacheHits())
            .setLatencyP50Ms(millis(latency, 50))
            .setLatencyP95Ms(millis(latency, 95))
            .setLatencyP99Ms(millis(latency, 99))
            .setTimeToFirstTokenP50Ms(millis(timeToFirstToken, 50))
            .setTimeToFirstTokenP95Ms(millis(timeToFirstToken, 95))
            .setTimeToFirstTokenP99Ms(millis(timeToFirstToken, 99))
            .build();
    startAgain(now, stats);
    return report;
  }

  private void startAgain(long now, EngineStats stats) {
    start = now;
    before = stats;
    requests = 0;
    rejections = 0;
    promptTokens = 0;
    cachedTokens = 0;
    completionTokens = 0;
    latency.reset();
    timeToFirstToken.reset();
  }

  private static long micros(double millis) {
    return Math.max(0, Math.round(millis * TimeUnit.MILLISECONDS.toMicros(1)));
  }

  private static double millis(Histogram micros, double percentile) {
    return micros.getValueAtPercentile(percentile) / (double) TimeUnit.MILLISECONDS.toMicros(1);
  }
}

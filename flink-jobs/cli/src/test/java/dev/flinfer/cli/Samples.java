package dev.flinfer.cli;

import dev.flinfer.schema.Completion;
import dev.flinfer.schema.FinishReason;
import dev.flinfer.schema.Throughput;

/** Records as a job writes them. */
public final class Samples {
  private Samples() {}

  public static Completion completion(String id, String text) {
    return completion(id, text, 10);
  }

  public static Completion completion(String id, String text, double latencyMs) {
    return Completion.newBuilder()
        .setId(id)
        .setText(text)
        .setFinishReason(FinishReason.STOP)
        .setPromptTokens(20)
        .setCompletionTokens(5)
        .setModel("demo-model")
        .setModelDigest("ab")
        .setLatencyMs(latencyMs)
        .setTimeToFirstTokenMs(latencyMs / 10)
        .build();
  }

  /** A window with a length of some seconds. */
  public static Throughput window(long startMs, long endMs, long tokens, double batch) {
    return Throughput.newBuilder()
        .setWindowStart(startMs)
        .setWindowEnd(endMs)
        .setSubtask(0)
        .setDevice("cpu")
        .setModel("demo-model")
        .setRequests(tokens / 5)
        .setPromptTokens(tokens * 4)
        .setCompletionTokens(tokens)
        .setTokensPerSecond(tokens * 1000.0 / (endMs - startMs))
        .setMeanBatchSize(batch)
        .setQueueLength(0)
        .setKvBlocksUsed(0)
        .setKvBlocksTotal(8)
        .setPrefixCacheHits(0)
        .setLatencyP50Ms(0)
        .setLatencyP95Ms(0)
        .setLatencyP99Ms(0)
        .setTimeToFirstTokenP50Ms(0)
        .setTimeToFirstTokenP95Ms(0)
        .setTimeToFirstTokenP99Ms(0)
        .build();
  }
}

package dev.flinfer.flink;

import dev.flinfer.engine.EngineStats;
import dev.flinfer.schema.Completion;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;

/**
 * The operator's Flink metrics: counters and gauges with the names of the fields of Throughput, and
 * {@link GenAiMetrics}.
 */
final class InferenceMetrics {
  private final Counter requests;
  private final Counter rejections;
  private final Counter tombstones;
  private final Counter promptTokens;
  private final Counter cachedTokens;
  private final Counter completionTokens;
  private final GenAiMetrics genAi;

  /**
   * @param inFlight unfinished requests of this subtask; read by other threads
   * @param stats of the engine; read by other threads
   */
  InferenceMetrics(MetricGroup operator, IntSupplier inFlight, Supplier<EngineStats> stats) {
    MetricGroup group = operator.addGroup("inference");
    requests = group.counter("requests");
    rejections = group.counter("rejections");
    tombstones = group.counter("tombstones");
    promptTokens = group.counter("prompt_tokens");
    cachedTokens = group.counter("cached_tokens");
    completionTokens = group.counter("completion_tokens");
    group.gauge("in_flight", (Gauge<Integer>) inFlight::getAsInt);
    gauge(group, "running", stats, EngineStats::running);
    gauge(group, "queue_length", stats, EngineStats::waiting);
    gauge(group, "kv_blocks_used", stats, EngineStats::kvBlocksUsed);
    gauge(group, "kv_blocks_total", stats, EngineStats::kvBlocksTotal);
    group.gauge("failed_steps", (Gauge<Long>) () -> stats.get().failedSteps());
    genAi = new GenAiMetrics(group);
  }

  private static void gauge(
      MetricGroup group,
      String name,
      Supplier<EngineStats> stats,
      ToIntFunction<EngineStats> value) {
    group.gauge(name, (Gauge<Integer>) () -> value.applyAsInt(stats.get()));
  }

  void completed(Completion completion) {
    requests.inc();
    promptTokens.inc(completion.getPromptTokens());
    cachedTokens.inc(completion.getCachedTokens());
    completionTokens.inc(completion.getCompletionTokens());
    genAi.completed(completion);
  }

  void rejected() {
    rejections.inc();
  }

  void tombstone() {
    tombstones.inc();
  }
}

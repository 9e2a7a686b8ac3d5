package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.EngineStats;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.FinishReason;
import dev.flinfer.schema.Throughput;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.junit.jupiter.api.Test;

final class InferenceMetricsTest {
  private final Registry registry = new Registry("");
  private final InferenceMetrics metrics =
      new InferenceMetrics(registry, () -> 9, () -> new EngineStats(0, 0, 0, 0, 0, 0, 4, 5, 6, 7, 8));

  @Test
  void countsAndGauges() {
    Completion completion =
        Completion.newBuilder()
            .setId("a")
            .setText("")
            .setFinishReason(FinishReason.STOP)
            .setPromptTokens(30)
            .setCachedTokens(20)
            .setCompletionTokens(10)
            .setModel("phi")
            .setModelDigest("0")
            .build();
    metrics.completed(completion);
    metrics.completed(completion);
    metrics.rejected();
    for (int i = 0; i < 3; i++) {
      metrics.tombstone();
    }

    Map<String, Number> values = new TreeMap<>();
    registry.values.forEach((name, value) -> values.put(name, value.get()));
    assertThat(values)
        .containsOnly(
            Map.entry("inference.requests", 2L),
            Map.entry("inference.rejections", 1L),
            Map.entry("inference.tombstones", 3L),
            Map.entry("inference.prompt_tokens", 60L),
            Map.entry("inference.cached_tokens", 40L),
            Map.entry("inference.completion_tokens", 20L),
            Map.entry("inference.in_flight", 9),
            Map.entry("inference.running", 5),
            Map.entry("inference.queue_length", 6),
            Map.entry("inference.kv_blocks_used", 7),
            Map.entry("inference.kv_blocks_total", 8));
  }

  @Test
  void namesAreThoseOfTheThroughputTopic() {
    assertThat(
            registry.values.keySet().stream()
                .map(name -> name.substring("inference.".length()))
                .filter(name -> Throughput.getClassSchema().getField(name) == null))
        .containsExactlyInAnyOrder("tombstones", "in_flight", "running");
  }

  /** A metric group that remembers what was registered. */
  private static final class Registry extends UnregisteredMetricsGroup {
    final Map<String, Supplier<Number>> values;
    private final String prefix;

    Registry(String prefix) {
      this(prefix, new TreeMap<>());
    }

    private Registry(String prefix, Map<String, Supplier<Number>> values) {
      this.prefix = prefix;
      this.values = values;
    }

    @Override
    public MetricGroup addGroup(String name) {
      return new Registry(prefix + name + ".", values);
    }

    @Override
    public Counter counter(String name) {
      Counter counter = super.counter(name);
      values.put(prefix + name, counter::getCount);
      return counter;
    }

    @Override
    public <T, G extends Gauge<T>> G gauge(String name, G gauge) {
      values.put(prefix + name, () -> (Number) gauge.getValue());
      return gauge;
    }
  }
}

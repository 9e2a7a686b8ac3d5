package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.flinfer.engine.EngineStats;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.FinishReason;
import dev.flinfer.schema.Throughput;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.junit.jupiter.api.Test;

final class InferenceMetricsTest {
  private final Registry registry = new Registry("");
  private final InferenceMetrics metrics =
      new InferenceMetrics(
          registry, () -> 9, () -> new EngineStats(0, 0, 0, 0, 0, 0, 4, 5, 6, 7, 8));

  @Test
  void countsAndGauges() {
    Completion completion = completion(30, 10, 250, 700);
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
            Map.entry("inference.kv_blocks_total", 8),
            Map.entry("inference.failed_steps", 4L));
  }

  @Test
  void namesAreThoseOfTheThroughputTopic() {
    assertThat(
            registry.values.keySet().stream()
                .map(name -> name.substring("inference.".length()))
                .filter(name -> Throughput.getClassSchema().getField(name) == null))
        .containsExactlyInAnyOrder("tombstones", "in_flight", "running", "failed_steps");
  }

  @Test
  void namesAndUnitsOfOpenTelemetry() {
    metrics.completed(completion(30, 10, 250, 700));
    metrics.completed(completion(10, 1, 100, 100));
    metrics.completed(completion(20, 0, 9_000, 9_000)); // its deadline passed

    assertThat(registry.histograms.keySet())
        .containsExactlyInAnyOrder(
            "inference.gen_ai.token.type=input.gen_ai.client.token.usage",
            "inference.gen_ai.token.type=output.gen_ai.client.token.usage",
            "inference.gen_ai.server.request.duration",
            "inference.gen_ai.server.time_to_first_token",
            "inference.gen_ai.server.time_per_output_token");
    assertHistogram("token.type=input.gen_ai.client.token.usage", 3, 20, 30);
    assertHistogram("token.type=output.gen_ai.client.token.usage", 3, 1, 10);
    assertHistogram("server.request.duration", 3, 0.7, 9);
    assertHistogram("server.time_to_first_token", 2, 0.175, 0.25);
    assertHistogram("server.time_per_output_token", 1, 0.05, 0.05);
  }

  private void assertHistogram(String name, long count, double median, double greatest) {
    Histogram histogram = registry.histograms.get("inference.gen_ai." + name);
    assertThat(histogram.getCount()).as(name).isEqualTo(count);
    assertThat(histogram.getStatistics().getQuantile(0.5)).as(name).isCloseTo(median, within(1e-9));
    assertThat(histogram.getStatistics().getQuantile(1)).as(name).isCloseTo(greatest, within(1e-9));
  }

  private static Completion completion(int prompt, int tokens, double firstMs, double latencyMs) {
    return Completion.newBuilder()
        .setId("a")
        .setText("")
        .setFinishReason(FinishReason.STOP)
        .setPromptTokens(prompt)
        .setCachedTokens(2 * prompt / 3)
        .setCompletionTokens(tokens)
        .setModel("phi")
        .setModelDigest("0")
        .setTimeToFirstTokenMs(firstMs)
        .setLatencyMs(latencyMs)
        .build();
  }

  /** A metric group that remembers what was registered. */
  private static final class Registry extends UnregisteredMetricsGroup {
    final Map<String, Supplier<Number>> values;
    final Map<String, Histogram> histograms;
    private final String prefix;

    Registry(String prefix) {
      this(prefix, new TreeMap<>(), new TreeMap<>());
    }

    private Registry(
        String prefix, Map<String, Supplier<Number>> values, Map<String, Histogram> histograms) {
      this.prefix = prefix;
      this.values = values;
      this.histograms = histograms;
    }

    @Override
    public MetricGroup addGroup(String name) {
      return new Registry(prefix + name + ".", values, histograms);
    }

    @Override
    public MetricGroup addGroup(String key, String value) {
      return addGroup(key + "=" + value);
    }

    @Override
    public <H extends Histogram> H histogram(String name, H histogram) {
      histograms.put(prefix + name, histogram);
      return histogram;
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

package dev.flinfer.jobs.source;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.groups.SourceReaderMetricGroup;
import org.junit.jupiter.api.Test;

final class DistinctMetricsTest {
  private final List<String> registered = new ArrayList<>();

  private <G extends MetricGroup> G group(Class<G> type, String path) {
    return Forwarding.to(
        type,
        this,
        (method, arguments, original) -> {
          if (method.equals("gauge")) {
            registered.add(path + arguments[0]);
            return arguments[1];
          }
          return method.equals("addGroup")
              ? group(MetricGroup.class, path + arguments[0] + ".")
              : null;
        });
  }

  /** Flink warns of a gauge that a group has already. */
  @Test
  void eachGaugeOfAGroupIsRegisteredOnce() {
    SourceReaderContext context =
        Forwarding.to(
            SourceReaderContext.class,
            this,
            (method, arguments, original) ->
                method.equals("metricGroup") ? group(SourceReaderMetricGroup.class, "") : 7);
    SourceReaderContext distinct = DistinctMetrics.of(context);
    assertThat(distinct.getIndexOfSubtask()).isEqualTo(7);
    for (String consumer : List.of("first", "second")) {
      Gauge<String> gauge = () -> consumer;
      MetricGroup group = distinct.metricGroup().addGroup("KafkaConsumer");
      assertThat(group.<String, Gauge<String>>gauge("rate", gauge)).isSameAs(gauge);
      group.addGroup("topic").gauge("rate", gauge);
    }
    assertThat(registered).containsExactly("KafkaConsumer.rate", "KafkaConsumer.topic.rate");
  }
}

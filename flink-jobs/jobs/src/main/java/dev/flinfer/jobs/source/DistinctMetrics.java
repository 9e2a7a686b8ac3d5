package dev.flinfer.jobs.source;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.groups.SourceReaderMetricGroup;

/**
 * Registers each gauge of a reader once. Kafka's reader registers a hundred for each new consumer,
 * and without partitions it opens one at each checkpoint; Flink keeps the first ones and warns of
 * all others.
 */
final class DistinctMetrics {
  private final Set<String> gauges = new HashSet<>();

  private DistinctMetrics() {}

  static SourceReaderContext of(SourceReaderContext context) {
    SourceReaderMetricGroup group =
        new DistinctMetrics().group(SourceReaderMetricGroup.class, context.metricGroup(), "");
    return Forwarding.to(
        SourceReaderContext.class,
        context,
        (method, arguments, result) -> method.equals("metricGroup") ? group : result.get());
  }

  private <G extends MetricGroup> G group(Class<G> type, MetricGroup group, String path) {
    return Forwarding.to(
        type,
        group,
        (method, arguments, result) -> {
          if (method.equals("gauge")) {
            return gauges.add(path + "/" + arguments[0]) ? result.get() : arguments[1];
          }
          return method.equals("addGroup")
              ? group(
                  MetricGroup.class,
                  (MetricGroup) result.get(),
                  path + "/" + Arrays.toString(arguments))
              : result.get();
        });
  }
}

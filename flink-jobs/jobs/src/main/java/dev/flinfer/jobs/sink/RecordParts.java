package dev.flinfer.jobs.sink;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.flinfer.schema.Header;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** What the serializers share: keys, values and headers as Kafka takes them, and their counters. */
final class RecordParts {
  /** The metric group, as the operator's. */
  private static final String METRICS = "inference";

  private RecordParts() {}

  static Headers headers(List<Header> headers) {
    RecordHeaders kafka = new RecordHeaders();
    headers.forEach(h -> kafka.add(h.getName(), bytes(h.getValue())));
    return kafka;
  }

  static byte[] utf8(Object value) {
    return value.toString().getBytes(UTF_8);
  }

  /** Null for null, as keys and values may be. */
  static byte[] bytes(ByteBuffer buffer) {
    if (buffer == null) {
      return null;
    }
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes); // the record's own position stays
    return bytes;
  }

  static Counter counter(MetricGroup metrics, String name) {
    return metrics.addGroup(METRICS).counter(name);
  }
}

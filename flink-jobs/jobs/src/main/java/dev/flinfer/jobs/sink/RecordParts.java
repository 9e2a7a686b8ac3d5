package dev.flinfer.jobs.sink;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.flinfer.schema.Header;
import java.nio.ByteBuffer;
import java.util.List;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** Shared by the serializers: keys, values and headers in Kafka's types, and counters. */
final class RecordParts {
  /** The metric group, the same as the operator's. */
  private static final String METRICS = "inference";

  private RecordParts() {}

  /** Names, or starts of names, of the headers that this job or Kafka Connect adds. */
  private static final List<String> ADDED =
      List.of(
          DeadLetter.PREFIX,
          DeadLetter.OWN_PREFIX,
          CompletionSerializer.ERROR,
          RecordLimit.KEY_ADDED,
          RecordLimit.TIMESTAMP);

  /**
   * Returns the headers of a record, without those that were added when it was rejected: a dead
   * letter that is sent again has them, and they would contradict its new outcome.
   */
  static Headers headers(List<Header> headers) {
    RecordHeaders kafka = new RecordHeaders();
    for (Header header : headers) {
      if (ADDED.stream().noneMatch(header.getName()::startsWith)) {
        kafka.add(header.getName(), bytes(header.getValue()));
      }
    }
    return kafka;
  }

  static byte[] utf8(Object value) {
    return value.toString().getBytes(UTF_8);
  }

  /** Returns the bytes; null for null, which keys and values can be. */
  static byte[] bytes(ByteBuffer buffer) {
    if (buffer == null) {
      return null;
    }
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes); // leaves the position of the record's buffer
    return bytes;
  }

  static Counter counter(MetricGroup metrics, String name) {
    return metrics.addGroup(METRICS).counter(name);
  }
}

package dev.flinfer.jobs.sink;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRecord;
import dev.flinfer.schema.FinishReason;
import dev.flinfer.schema.Rejection;
import dev.flinfer.schema.RejectionStage;
import dev.flinfer.schema.SourceRecord;
import dev.flinfer.schema.WireFormat;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.junit.jupiter.api.Test;

/** Records that the broker would refuse for another reason than their size. */
final class RecordLimitTest {
  private static final long HOUR = 3_600_000;
  private static final long OLD = 1_000_000_000_000L;

  private static RecordLimit limit(Map<String, String> settings) {
    List<ConfigEntry> entries = new ArrayList<>();
    settings.forEach((name, value) -> entries.add(new ConfigEntry(name, value)));
    return RecordLimit.of("topic", 100_000, new Config(entries));
  }

  @Test
  void readsWhatTheTopicAccepts() {
    assertThat(limit(Map.of())).isEqualTo(new RecordLimit("topic", 100_000));
    assertThat(limit(Map.of("max.message.bytes", "20000")).bytes()).isEqualTo(20_000);
    assertThat(limit(Map.of("cleanup.policy", "delete")).needsKey()).isFalse();
    assertThat(limit(Map.of("cleanup.policy", "compact,delete")).needsKey()).isTrue();
    assertThat(
            limit(
                    Map.of(
                        "message.timestamp.type", "CreateTime",
                        "message.timestamp.before.max.ms", "7",
                        "message.timestamp.after.max.ms", "8"))
                .times())
        .isEqualTo(new TimestampRange(7, 8));
    assertThat(
            limit(
                    Map.of(
                        "message.timestamp.type", "LogAppendTime",
                        "message.timestamp.before.max.ms", "7"))
                .times())
        .isEqualTo(TimestampRange.ANY);
  }

  @Test
  void timestampsNearTheLimitAreNotTried() {
    long now = OLD;
    TimestampRange range = new TimestampRange(HOUR, 60_000);
    assertThat(range.accepts(now, now)).isTrue();
    assertThat(range.accepts(now - HOUR + 5 * 60_000, now)).isTrue();
    assertThat(range.accepts(now - HOUR + 5 * 60_000 - 1, now)).isFalse();
    assertThat(range.accepts(now + 30_000, now)).isTrue();
    assertThat(range.accepts(now + 30_001, now)).isFalse();
    assertThat(TimestampRange.ANY.accepts(0, now)).isTrue();
    assertThat(TimestampRange.ANY.accepts(Long.MAX_VALUE, now)).isTrue();
    assertThat(TimestampRange.ANY.accepts(-1, now)).as("Kafka's clients refuse it").isFalse();
  }

  @Test
  void aCompletionWithoutKeyGetsItsIdAsKeyInACompactedTopic() {
    ProducerRecord<byte[], byte[]> kafka = completion(COMPACTED, null, 10);
    assertThat(new String(kafka.key(), UTF_8)).isEqualTo("r1");
    assertThat(headers(kafka)).containsExactly("flinfer.key.added: topic topic is compacted");
    assertThat(completion(COMPACTED, "mine", 10).key()).isEqualTo("mine".getBytes(UTF_8));
    assertThat(completion(limit(Map.of()), null, 10).key()).isNull();
  }

  @Test
  void aKeyThatIsLeftOutForItsSizeIsReplacedToo() {
    ProducerRecord<byte[], byte[]> kafka = completion(COMPACTED, "k".repeat(200_000), 10);
    assertThat(new String(kafka.key(), UTF_8)).isEqualTo("r1");
    assertThat(headers(kafka)).contains("flinfer.key.added: topic topic is compacted");

    kafka = DeadLetter.of(rejection("k".repeat(200_000)), null, COMPACTED).kafka();
    assertThat(new String(kafka.key(), UTF_8)).isEqualTo("prompts-7-99");
  }

  @Test
  void aDeadLetterWithoutKeyGetsItsPlaceAsKeyInACompactedTopic() {
    ProducerRecord<byte[], byte[]> kafka = DeadLetter.of(rejection(null), null, COMPACTED).kafka();
    assertThat(new String(kafka.key(), UTF_8)).isEqualTo("prompts-7-99");
    assertThat(headers(kafka)).contains("flinfer.key.added: topic topic is compacted");
    assertThat(DeadLetter.of(rejection(null), null, limit(Map.of())).kafka().key()).isNull();
  }

  @Test
  void aTimestampThatTheTopicRefusesIsWrittenAsAHeader() {
    RecordLimit recent = limit(Map.of("message.timestamp.before.max.ms", "" + HOUR));
    ProducerRecord<byte[], byte[]> kafka = completion(recent, "mine", 10);
    assertThat(kafka.timestamp()).isNull();
    assertThat(headers(kafka)).containsExactly("flinfer.timestamp: " + OLD);
    assertThat(completion(limit(Map.of()), "mine", 10).timestamp()).isEqualTo(OLD);

    kafka = DeadLetter.of(rejection("mine"), OLD, recent).kafka();
    assertThat(kafka.timestamp()).isNull();
    assertThat(headers(kafka)).contains("flinfer.timestamp: " + OLD);
    assertThat(DeadLetter.of(rejection("mine"), -5L, limit(Map.of())).kafka().timestamp()).isNull();
  }

  private static final RecordLimit COMPACTED = limit(Map.of("cleanup.policy", "compact"));

  private static ProducerRecord<byte[], byte[]> completion(
      RecordLimit limit, String key, int length) {
    CompletionSerializer output =
        new CompletionSerializer("topic", WireFormat.JSON, true, new Properties());
    output.open(new UnregisteredMetricsGroup(), limit);
    Completion completion =
        Completion.newBuilder()
            .setId("r1")
            .setText("x".repeat(length))
            .setFinishReason(FinishReason.STOP)
            .setPromptTokens(2)
            .setCompletionTokens(3)
            .setModel("m")
            .setModelDigest("0")
            .build();
    return output.serialize(new CompletionRecord(bytes(key), List.of(), completion), null, OLD);
  }

  private static Rejection rejection(String key) {
    SourceRecord record =
        new SourceRecord("prompts", 7, 99L, 5L, bytes(key), bytes("value"), List.of());
    return new Rejection(RejectionStage.VALIDATE, "a.B", "why", null, record, 0);
  }

  private static ByteBuffer bytes(String text) {
    return text == null ? null : ByteBuffer.wrap(text.getBytes(UTF_8));
  }

  private static List<String> headers(ProducerRecord<byte[], byte[]> kafka) {
    List<String> headers = new ArrayList<>();
    for (Header header : kafka.headers()) {
      headers.add(header.key() + ": " + new String(header.value(), UTF_8));
    }
    return headers;
  }
}

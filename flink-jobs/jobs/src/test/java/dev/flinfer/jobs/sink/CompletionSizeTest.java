package dev.flinfer.jobs.sink;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRecord;
import dev.flinfer.schema.FinishReason;
import dev.flinfer.schema.Header;
import dev.flinfer.schema.WireFormat;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.SimpleCounter;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A completion that is too large for its topic is still an outcome. */
final class CompletionSizeTest {
  private static final RecordLimit LIMIT = new RecordLimit("completions", 20_000);

  private final Counter tooLarge = new SimpleCounter();
  private final CompletionSerializer output =
      new CompletionSerializer("completions", WireFormat.JSON, false, new Properties());

  @BeforeEach
  void open() {
    output.open(
        new UnregisteredMetricsGroup() {
          @Override
          public UnregisteredMetricsGroup addGroup(String name) {
            return this;
          }

          @Override
          public Counter counter(String name) {
            assertThat(name).isEqualTo("completions_too_large");
            return tooLarge;
          }
        },
        TopicLimit.of(LIMIT));
  }

  @Test
  void aCompletionThatFitsIsUnchanged() {
    ProducerRecord<byte[], byte[]> kafka = write("text", Map.of("a", "b"), 10, 10);
    assertThat(read(kafka).getText()).isEqualTo("text");
    assertThat(kafka.headers()).hasSize(1);
    assertThat(tooLarge.getCount()).isZero();
  }

  @Test
  void aCompletionThatDoesNotFitEndsAsErrorWithTheReason() {
    ProducerRecord<byte[], byte[]> kafka = write("x".repeat(30_000), Map.of("a", "b"), 10, 10);

    Completion completion = read(kafka);
    assertThat(completion.getId()).isEqualTo("r1");
    assertThat(completion.getFinishReason()).isEqualTo(FinishReason.ERROR);
    assertThat(completion.getText()).isEmpty();
    assertThat(completion.getTokenIds()).isEmpty();
    assertThat(completion.getCompletionTokens()).isEqualTo(3);
    assertThat(completion.getMetadata()).isEqualTo(Map.of("a", "b"));
    assertThat(kafka.key()).hasSize(10);
    assertThat(kafka.headers().lastHeader("trace").value()).hasSize(10);
    assertThat(new String(kafka.headers().lastHeader("flinfer.error").value(), UTF_8))
        .matches(
            "The completion has 30\\d{3} bytes; topic completions takes at most 20000. Request"
                + " fewer tokens, logprobs or outputs, or raise max.message.bytes");
    assertThat(tooLarge.getCount()).isEqualTo(1);
  }

  @Test
  void fieldsOfTheRequestThatAreTooLargeAreLeftOut() {
    Completion completion = read(write("x", Map.of("a", "b".repeat(30_000)), 10, 10));
    assertThat(completion.getFinishReason()).isEqualTo(FinishReason.ERROR);
    assertThat(completion.getMetadata()).isEmpty();

    ProducerRecord<byte[], byte[]> kafka = write("x", Map.of(), 30_000, 10);
    assertThat(kafka.key()).isNull();
    assertThat(read(kafka).getId()).isEqualTo("r1");

    kafka = write("x", Map.of(), 10, 30_000);
    assertThat(kafka.headers()).hasSize(1);
    assertThat(read(kafka).getFinishReason()).isEqualTo(FinishReason.ERROR);
  }

  private ProducerRecord<byte[], byte[]> write(
      String text, Map<String, String> metadata, int key, int header) {
    Completion completion =
        Completion.newBuilder()
            .setId("r1")
            .setText(text)
            .setFinishReason(FinishReason.STOP)
            .setPromptTokens(2)
            .setCompletionTokens(3)
            .setTokenIds(List.of(1, 2, 3))
            .setModel("phi")
            .setModelDigest("0")
            .setMetadata(metadata)
            .build();
    ProducerRecord<byte[], byte[]> kafka =
        output.serialize(
            new CompletionRecord(
                ByteBuffer.allocate(key),
                List.of(new Header("trace", ByteBuffer.allocate(header))),
                completion),
            null,
            null);
    assertThat(LIMIT.holds(kafka)).isTrue();
    return kafka;
  }

  private static Completion read(ProducerRecord<byte[], byte[]> kafka) {
    return WireFormat.JSON.reader(Completion.class).read(kafka.value());
  }
}

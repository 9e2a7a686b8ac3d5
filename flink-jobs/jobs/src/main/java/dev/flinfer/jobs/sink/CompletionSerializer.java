package dev.flinfer.jobs.sink;

import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRecord;
import dev.flinfer.schema.FinishReason;
import dev.flinfer.schema.WireFormat;
import java.util.Properties;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A completion under its request's key and headers. One that its topic does not take is written
 * without text and tokens: the request has an answer, which says what is wrong.
 */
public final class CompletionSerializer
    implements KafkaRecordSerializationSchema<CompletionRecord> {
  private static final long serialVersionUID = 1L;
  private static final Logger LOG = LoggerFactory.getLogger(CompletionSerializer.class);

  /** Header of a completion that could not be written as it was. */
  private static final String ERROR = "flinfer.error";

  private final String topic;
  private final WireFormat format;
  private final boolean keepTimestamp;
  private final Properties producer;
  private transient WireFormat.Writer<Completion> writer;
  private transient RecordLimit limit;
  private transient Counter tooLarge;

  /**
   * @param keepTimestamp whether a completion gets its request's timestamp, or the time of writing
   * @param producer what the topic's producers are made with
   */
  public CompletionSerializer(
      String topic, WireFormat format, boolean keepTimestamp, Properties producer) {
    this.topic = topic;
    this.format = format;
    this.keepTimestamp = keepTimestamp;
    this.producer = producer;
  }

  @Override
  public void open(SerializationSchema.InitializationContext context, KafkaSinkContext sink) {
    // With exactly-once the connector opens it twice, and Flink reports the first counters only.
    if (limit == null) {
      open(context.getMetricGroup(), RecordLimit.of(topic, producer));
    }
  }

  void open(MetricGroup metrics, RecordLimit limitOfTopic) {
    writer = format.writer(Completion.class);
    limit = limitOfTopic;
    tooLarge = RecordParts.counter(metrics, "completions_too_large");
  }

  @Override
  public ProducerRecord<byte[], byte[]> serialize(
      CompletionRecord record, KafkaSinkContext context, Long timestamp) {
    ProducerRecord<byte[], byte[]> kafka =
        new ProducerRecord<>(
            topic,
            null,
            keepTimestamp ? timestamp : null,
            RecordParts.bytes(record.getKey()),
            writer.write(record.getCompletion()),
            RecordParts.headers(record.getHeaders()));
    if (limit.holds(kafka)) {
      return kafka;
    }
    tooLarge.inc();
    String why =
        "The completion takes %d bytes; topic %s takes %d. Ask for fewer tokens, logprobs or outputs, or raise max.message.bytes"
            .formatted(RecordLimit.size(kafka), topic, limit.bytes());
    LOG.warn("Request {}: {}", record.getCompletion().getId(), why);
    return withoutText(kafka, record.getCompletion(), why);
  }

  private ProducerRecord<byte[], byte[]> withoutText(
      ProducerRecord<byte[], byte[]> whole, Completion completion, String why) {
    Completion.Builder empty =
        Completion.newBuilder()
            .setId(completion.getId())
            .setText("")
            .setFinishReason(FinishReason.ERROR)
            .setPromptTokens(completion.getPromptTokens())
            .setCachedTokens(completion.getCachedTokens())
            .setCompletionTokens(completion.getCompletionTokens())
            .setModel(completion.getModel())
            .setModelDigest(completion.getModelDigest())
            .setQueueTimeMs(completion.getQueueTimeMs())
            .setTimeToFirstTokenMs(completion.getTimeToFirstTokenMs())
            .setLatencyMs(completion.getLatencyMs());
    Headers headers = new RecordHeaders(whole.headers()).add(ERROR, RecordParts.utf8(why));
    empty.setMetadata(completion.getMetadata());
    ProducerRecord<byte[], byte[]> told = with(whole, whole.key(), empty.build(), headers);
    if (limit.holds(told)) {
      return told;
    }
    // The id is short, the job sees to that; what else the request gave need not be.
    empty.clearMetadata();
    told = with(whole, whole.key(), empty.build(), headers);
    return limit.holds(told)
        ? told
        : with(whole, null, empty.build(), new RecordHeaders().add(ERROR, RecordParts.utf8(why)));
  }

  private ProducerRecord<byte[], byte[]> with(
      ProducerRecord<byte[], byte[]> whole, byte[] key, Completion value, Headers headers) {
    return new ProducerRecord<>(topic, null, whole.timestamp(), key, writer.write(value), headers);
  }
}

package dev.flinfer.jobs.sink;

import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRecord;
import dev.flinfer.schema.FinishReason;
import dev.flinfer.schema.WireFormat;
import java.util.Properties;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes a completion with the key and headers of its request. A completion that is too large for
 * its topic is written without text and tokens, and with the reason, so that the request has an
 * outcome.
 */
public final class CompletionSerializer extends LimitedSerializer<CompletionRecord> {
  private static final long serialVersionUID = 1L;
  private static final Logger LOG = LoggerFactory.getLogger(CompletionSerializer.class);

  /** Header of a completion that was too large to be written unchanged. */
  private static final String ERROR = "flinfer.error";

  private final WireFormat format;
  private transient WireFormat.Writer<Completion> writer;
  private transient Counter tooLarge;

  /**
   * @param keepTimestamp whether a completion gets its request's timestamp, or the time of writing
   * @param producer properties of the topic's producers
   */
  public CompletionSerializer(
      String topic, WireFormat format, boolean keepTimestamp, Properties producer) {
    super(topic, keepTimestamp, producer);
    this.format = format;
  }

  @Override
  void prepare(MetricGroup metrics) {
    writer = format.writer(Completion.class);
    tooLarge = RecordParts.counter(metrics, "completions_too_large");
  }

  @Override
  public ProducerRecord<byte[], byte[]> serialize(
      CompletionRecord record, KafkaSinkContext context, Long timestamp) {
    Headers headers = RecordParts.headers(record.getHeaders());
    Long kept = keepTimestamp ? limit.timestamp(timestamp, headers) : null;
    byte[] key =
        limit.key(RecordParts.bytes(record.getKey()), record.getCompletion().getId(), headers);
    ProducerRecord<byte[], byte[]> kafka =
        new ProducerRecord<>(topic, null, kept, key, writer.write(record.getCompletion()), headers);
    if (limit.holds(kafka)) {
      return kafka;
    }
    tooLarge.inc();
    String why =
        ("The completion has %d bytes; topic %s takes at most %d. Request fewer tokens, logprobs or"
                + " outputs, or raise max.message.bytes")
            .formatted(RecordLimit.size(kafka), topic, limit.bytes());
    LOG.warn("Request {}: {}", record.getCompletion().getId(), why);
    return withoutText(kafka, record.getCompletion(), why);
  }

  private ProducerRecord<byte[], byte[]> withoutText(
      ProducerRecord<byte[], byte[]> full, Completion completion, String why) {
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
    Headers headers = new RecordHeaders(full.headers()).add(ERROR, RecordParts.utf8(why));
    empty.setMetadata(completion.getMetadata());
    ProducerRecord<byte[], byte[]> reduced = with(full, full.key(), empty.build(), headers);
    if (limit.holds(reduced)) {
      return reduced;
    }
    // The job limits the length of the id, but not of the request's other fields.
    empty.clearMetadata();
    reduced = with(full, full.key(), empty.build(), headers);
    if (limit.holds(reduced)) {
      return reduced;
    }
    headers = new RecordHeaders().add(ERROR, RecordParts.utf8(why));
    byte[] key = limit.key(null, completion.getId(), headers);
    return with(full, key, empty.build(), headers);
  }

  private ProducerRecord<byte[], byte[]> with(
      ProducerRecord<byte[], byte[]> full, byte[] key, Completion value, Headers headers) {
    return new ProducerRecord<>(topic, null, full.timestamp(), key, writer.write(value), headers);
  }
}

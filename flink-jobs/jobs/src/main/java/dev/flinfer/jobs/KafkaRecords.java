package dev.flinfer.jobs;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRecord;
import dev.flinfer.schema.FinishReason;
import dev.flinfer.schema.Header;
import dev.flinfer.schema.Rejection;
import dev.flinfer.schema.SourceRecord;
import dev.flinfer.schema.Throughput;
import dev.flinfer.schema.WireFormat;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.formats.avro.typeutils.AvroTypeInfo;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** From Kafka's records to ours and back. */
final class KafkaRecords {
  private static final Logger LOG = LoggerFactory.getLogger(KafkaRecords.class);

  /** The metric group, as the operator's. */
  private static final String METRICS = "inference";

  /** Header of a completion that could not be written as it was. */
  static final String ERROR = "flinfer.error";

  private KafkaRecords() {}

  /** Copies a record as it is, tombstones too; what its bytes mean is the operator's business. */
  static final class Input implements KafkaRecordDeserializationSchema<SourceRecord> {
    private static final long serialVersionUID = 1L;

    @Override
    public void deserialize(ConsumerRecord<byte[], byte[]> kafka, Collector<SourceRecord> out) {
      List<Header> headers = new ArrayList<>();
      kafka.headers().forEach(h -> headers.add(new Header(h.key(), wrap(h.value()))));
      boolean timed = kafka.timestampType() != TimestampType.NO_TIMESTAMP_TYPE;
      out.collect(
          new SourceRecord(
              kafka.topic(),
              kafka.partition(),
              kafka.offset(),
              timed ? kafka.timestamp() : null,
              wrap(kafka.key()),
              wrap(kafka.value()),
              headers));
    }

    @Override
    public TypeInformation<SourceRecord> getProducedType() {
      return new AvroTypeInfo<>(SourceRecord.class);
    }
  }

  /**
   * A completion under its request's key and headers. One that its topic does not take is written
   * without text and tokens: the request has an answer, which says what is wrong.
   */
  static final class CompletionOutput implements KafkaRecordSerializationSchema<CompletionRecord> {
    private static final long serialVersionUID = 1L;

    private final String topic;
    private final WireFormat format;
    private final boolean keepTimestamp;
    private final Properties producer;
    private transient WireFormat.Writer<Completion> writer;
    private transient RecordLimit limit;
    private transient Counter tooLarge;

    /**
     * @param producer what the topic's producers are made with
     */
    CompletionOutput(JobOptions options, Properties producer) {
      topic = options.outputTopic();
      format = options.outputFormat();
      keepTimestamp = options.keepTimestamps();
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
      tooLarge = metrics.addGroup(METRICS).counter("completions_too_large");
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(
        CompletionRecord record, KafkaSinkContext context, Long timestamp) {
      ProducerRecord<byte[], byte[]> kafka =
          new ProducerRecord<>(
              topic,
              null,
              keepTimestamp ? timestamp : null,
              unwrap(record.getKey()),
              writer.write(record.getCompletion()),
              headers(record.getHeaders()));
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
      Headers headers = new RecordHeaders(whole.headers()).add(ERROR, utf8(why));
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
          : with(whole, null, empty.build(), new RecordHeaders().add(ERROR, utf8(why)));
    }

    private ProducerRecord<byte[], byte[]> with(
        ProducerRecord<byte[], byte[]> whole, byte[] key, Completion value, Headers headers) {
      return new ProducerRecord<>(
          topic, null, whole.timestamp(), key, writer.write(value), headers);
    }
  }

  /** A rejected record as it was read, with Kafka Connect's headers: a {@link DeadLetter}. */
  static final class RejectionOutput implements KafkaRecordSerializationSchema<Rejection> {
    private static final long serialVersionUID = 1L;

    private final String topic;
    private final boolean keepTimestamp;
    private final Properties producer;
    private transient RecordLimit limit;
    private transient Counter shortened;
    private transient Counter leftOut;

    /**
     * @param producer what the topic's producers are made with
     */
    RejectionOutput(JobOptions options, Properties producer) {
      topic = options.dlqTopic();
      keepTimestamp = options.keepTimestamps();
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
      limit = limitOfTopic;
      shortened = metrics.addGroup(METRICS).counter("dead_letters_shortened");
      leftOut = metrics.addGroup(METRICS).counter("dead_letters_left_out");
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(
        Rejection rejection, KafkaSinkContext context, Long timestamp) {
      SourceRecord record = rejection.getRecord();
      DeadLetter letter =
          DeadLetter.of(rejection, keepTimestamp ? record.getTimestamp() : null, limit);
      if (letter.shortened()) {
        shortened.inc();
      }
      if (letter.leftOut()) {
        leftOut.inc();
        LOG.warn(
            "The record at {}-{}@{} does not fit in topic {}, which takes {} bytes, and is there"
                + " without its value or more: read it at its place, and raise max.message.bytes",
            record.getTopic(),
            record.getPartition(),
            record.getOffset(),
            topic,
            limit.bytes());
      }
      return letter.kafka();
    }
  }

  /** A throughput record under the index of its subtask. */
  static final class ThroughputOutput implements KafkaRecordSerializationSchema<Throughput> {
    private static final long serialVersionUID = 1L;

    private final String topic;
    private final WireFormat format;
    private transient WireFormat.Writer<Throughput> writer;

    ThroughputOutput(JobOptions options) {
      topic = options.metricsTopic();
      format = options.outputFormat();
    }

    @Override
    public void open(SerializationSchema.InitializationContext context, KafkaSinkContext sink) {
      writer = format.writer(Throughput.class);
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(
        Throughput throughput, KafkaSinkContext context, Long timestamp) {
      return new ProducerRecord<>(topic, utf8(throughput.getSubtask()), writer.write(throughput));
    }
  }

  static Headers headers(List<Header> headers) {
    RecordHeaders kafka = new RecordHeaders();
    headers.forEach(h -> kafka.add(h.getName(), unwrap(h.getValue())));
    return kafka;
  }

  private static byte[] utf8(Object value) {
    return value.toString().getBytes(UTF_8);
  }

  private static ByteBuffer wrap(byte[] bytes) {
    return bytes == null ? null : ByteBuffer.wrap(bytes);
  }

  static byte[] unwrap(ByteBuffer buffer) {
    if (buffer == null) {
      return null;
    }
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes); // the record's own position stays
    return bytes;
  }
}

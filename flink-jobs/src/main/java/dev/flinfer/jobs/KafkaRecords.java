package dev.flinfer.jobs;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRecord;
import dev.flinfer.schema.Header;
import dev.flinfer.schema.Rejection;
import dev.flinfer.schema.SourceRecord;
import dev.flinfer.schema.Throughput;
import dev.flinfer.schema.WireFormat;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.formats.avro.typeutils.AvroTypeInfo;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;

/** From Kafka's records to ours and back. */
final class KafkaRecords {
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
          SourceRecord.newBuilder()
              .setTopic(kafka.topic())
              .setPartition(kafka.partition())
              .setOffset(kafka.offset())
              .setTimestamp(timed ? kafka.timestamp() : null)
              .setKey(wrap(kafka.key()))
              .setValue(wrap(kafka.value()))
              .setHeaders(headers)
              .build());
    }

    @Override
    public TypeInformation<SourceRecord> getProducedType() {
      return new AvroTypeInfo<>(SourceRecord.class);
    }
  }

  /** A completion under its request's key and headers. */
  static final class CompletionOutput implements KafkaRecordSerializationSchema<CompletionRecord> {
    private static final long serialVersionUID = 1L;

    private final String topic;
    private final WireFormat format;
    private final boolean keepTimestamp;
    private transient WireFormat.Writer<Completion> writer;

    CompletionOutput(JobOptions options) {
      topic = options.outputTopic();
      format = options.outputFormat();
      keepTimestamp = options.keepTimestamps();
    }

    @Override
    public void open(SerializationSchema.InitializationContext context, KafkaSinkContext sink) {
      writer = format.writer(Completion.class);
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(
        CompletionRecord record, KafkaSinkContext context, Long timestamp) {
      return new ProducerRecord<>(
          topic,
          null,
          keepTimestamp ? timestamp : null,
          unwrap(record.getKey()),
          writer.write(record.getCompletion()),
          headers(record.getHeaders()));
    }
  }

  /** A rejected record as it was read, with Kafka Connect's headers for dead letter queues. */
  static final class RejectionOutput implements KafkaRecordSerializationSchema<Rejection> {
    private static final long serialVersionUID = 1L;

    private static final String PREFIX = "__connect.errors.";

    private final String topic;
    private final boolean keepTimestamp;

    RejectionOutput(JobOptions options) {
      topic = options.dlqTopic();
      keepTimestamp = options.keepTimestamps();
    }

    @Override
    public ProducerRecord<byte[], byte[]> serialize(
        Rejection rejection, KafkaSinkContext context, Long timestamp) {
      SourceRecord record = rejection.getRecord();
      Headers headers = headers(record.getHeaders());
      headers.add(PREFIX + "topic", utf8(record.getTopic()));
      headers.add(PREFIX + "partition", utf8(record.getPartition()));
      headers.add(PREFIX + "offset", utf8(record.getOffset()));
      headers.add(PREFIX + "stage", utf8(rejection.getStage()));
      headers.add(PREFIX + "exception.class.name", utf8(rejection.getErrorClass()));
      headers.add(PREFIX + "exception.message", utf8(rejection.getErrorMessage()));
      return new ProducerRecord<>(
          topic,
          null,
          keepTimestamp ? record.getTimestamp() : null,
          unwrap(record.getKey()),
          unwrap(record.getValue()),
          headers);
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

  private static Headers headers(List<Header> headers) {
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

  private static byte[] unwrap(ByteBuffer buffer) {
    if (buffer == null) {
      return null;
    }
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes); // the record's own position stays
    return bytes;
  }
}

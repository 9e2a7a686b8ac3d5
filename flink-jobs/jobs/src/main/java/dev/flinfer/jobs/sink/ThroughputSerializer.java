package dev.flinfer.jobs.sink;

import dev.flinfer.schema.Throughput;
import dev.flinfer.schema.WireFormat;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.kafka.clients.producer.ProducerRecord;

/** Writes a throughput record with the index of its subtask as the key. */
public final class ThroughputSerializer implements KafkaRecordSerializationSchema<Throughput> {
  private static final long serialVersionUID = 1L;

  private final String topic;
  private final WireFormat format;
  private transient WireFormat.Writer<Throughput> writer;

  public ThroughputSerializer(String topic, WireFormat format) {
    this.topic = topic;
    this.format = format;
  }

  @Override
  public void open(SerializationSchema.InitializationContext context, KafkaSinkContext sink) {
    writer = format.writer(Throughput.class);
  }

  @Override
  public ProducerRecord<byte[], byte[]> serialize(
      Throughput throughput, KafkaSinkContext context, Long timestamp) {
    return new ProducerRecord<>(
        topic, RecordParts.utf8(throughput.getSubtask()), writer.write(throughput));
  }
}

package dev.flinfer.jobs.source;

import dev.flinfer.schema.Header;
import dev.flinfer.schema.SourceRecord;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.formats.avro.typeutils.AvroTypeInfo;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.record.TimestampType;

/** Copies a record unchanged, including tombstones; the operator interprets its bytes. */
public final class SourceRecordDeserializer
    implements KafkaRecordDeserializationSchema<SourceRecord> {
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

  private static ByteBuffer wrap(byte[] bytes) {
    return bytes == null ? null : ByteBuffer.wrap(bytes);
  }
}

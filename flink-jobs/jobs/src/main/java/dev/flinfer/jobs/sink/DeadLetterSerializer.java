package dev.flinfer.jobs.sink;

import dev.flinfer.schema.Rejection;
import dev.flinfer.schema.SourceRecord;
import java.util.Properties;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes a rejected record, unchanged, with Kafka Connect's headers: a {@link DeadLetter}. */
public final class DeadLetterSerializer extends LimitedSerializer<Rejection> {
  private static final long serialVersionUID = 1L;
  private static final Logger LOG = LoggerFactory.getLogger(DeadLetterSerializer.class);

  private transient Counter shortened;
  private transient Counter leftOut;

  /**
   * @param keepTimestamp whether a dead letter gets its record's timestamp, or the time of writing
   * @param producer properties of the topic's producers
   */
  public DeadLetterSerializer(String topic, boolean keepTimestamp, Properties producer) {
    super(topic, keepTimestamp, producer);
  }

  @Override
  void prepare(MetricGroup metrics) {
    shortened = RecordParts.counter(metrics, "dead_letters_shortened");
    leftOut = RecordParts.counter(metrics, "dead_letters_left_out");
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
          "The record at {}-{}@{} does not fit in topic {}, which takes at most {} bytes, and is"
              + " written without its largest parts: read it in the input topic, and raise"
              + " max.message.bytes",
          record.getTopic(),
          record.getPartition(),
          record.getOffset(),
          topic,
          limit.bytes());
    }
    return letter.kafka();
  }
}

package dev.flinfer.jobs.sink;

import java.util.Properties;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.metrics.MetricGroup;

/** A serializer whose records must not be larger than their topic takes. */
abstract class LimitedSerializer<T> implements KafkaRecordSerializationSchema<T> {
  private static final long serialVersionUID = 1L;

  final String topic;
  final boolean keepTimestamp;
  private final Properties producer;
  transient RecordLimit limit;

  /**
   * @param keepTimestamp whether a record gets the timestamp of its input record, or the time of
   *     writing
   * @param producer properties of the topic's producers
   */
  LimitedSerializer(String topic, boolean keepTimestamp, Properties producer) {
    this.topic = topic;
    this.keepTimestamp = keepTimestamp;
    this.producer = producer;
  }

  @Override
  public final void open(SerializationSchema.InitializationContext context, KafkaSinkContext sink) {
    // With exactly-once the connector opens it twice, and Flink reports the first counters only.
    if (limit == null) {
      open(context.getMetricGroup(), RecordLimit.of(topic, producer));
    }
  }

  void open(MetricGroup metrics, RecordLimit limitOfTopic) {
    limit = limitOfTopic;
    prepare(metrics);
  }

  /** Creates the counters, and whatever else is not serialized with the job. */
  abstract void prepare(MetricGroup metrics);
}

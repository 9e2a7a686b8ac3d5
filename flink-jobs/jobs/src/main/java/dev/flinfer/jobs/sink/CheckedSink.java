package dev.flinfer.jobs.sink;

import java.io.IOException;
import java.util.Collection;
import java.util.Properties;
import org.apache.flink.api.connector.sink2.Committer;
import org.apache.flink.api.connector.sink2.CommitterInitContext;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.KafkaWriterState;
import org.apache.flink.connector.kafka.sink.TwoPhaseCommittingStatefulSink;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.streaming.api.connector.sink2.CommittableMessage;
import org.apache.flink.streaming.api.connector.sink2.SupportsPostCommitTopology;
import org.apache.flink.streaming.api.datastream.DataStream;

/**
 * Kafka's transactional sink, except that it fails when the broker has aborted a transaction whose
 * checkpoint is complete, so that output is lost; Kafka's sink only logs that and continues. Its
 * state is that of the Kafka sink.
 */
public final class CheckedSink<T>
    implements TwoPhaseCommittingStatefulSink<T, KafkaWriterState, KafkaCommittable>,
        SupportsPostCommitTopology<KafkaCommittable> {
  private static final long serialVersionUID = 1L;

  private final KafkaSink<T> kafka;
  private final Properties clientConfig;
  private final String timeoutOption;
  private final String acceptOption;

  /**
   * @param clientConfig properties of the Kafka clients
   * @param timeoutOption the option that limits how long a transaction may be open, for the error
   * @param acceptOption the option that accepts such a loss, for the error
   */
  public CheckedSink(
      KafkaSink<T> kafka, Properties clientConfig, String timeoutOption, String acceptOption) {
    this.kafka = kafka;
    this.clientConfig = clientConfig;
    this.timeoutOption = timeoutOption;
    this.acceptOption = acceptOption;
  }

  @Override
  public Committer<KafkaCommittable> createCommitter(CommitterInitContext context) {
    return new CheckedCommitter(
        kafka.createCommitter(context),
        new TransactionFates(clientConfig),
        timeoutOption,
        acceptOption);
  }

  @Override
  public PrecommittingStatefulSinkWriter<T, KafkaWriterState, KafkaCommittable> createWriter(
      WriterInitContext context) throws IOException {
    return kafka.createWriter(context);
  }

  @Override
  public PrecommittingStatefulSinkWriter<T, KafkaWriterState, KafkaCommittable> restoreWriter(
      WriterInitContext context, Collection<KafkaWriterState> state) throws IOException {
    return kafka.restoreWriter(context, state);
  }

  @Override
  public SimpleVersionedSerializer<KafkaCommittable> getCommittableSerializer() {
    return kafka.getCommittableSerializer();
  }

  @Override
  public SimpleVersionedSerializer<KafkaWriterState> getWriterStateSerializer() {
    return kafka.getWriterStateSerializer();
  }

  @Override
  public void addPostCommitTopology(DataStream<CommittableMessage<KafkaCommittable>> committables) {
    kafka.addPostCommitTopology(committables);
  }
}

package dev.flinfer.jobs.sink;

import dev.flinfer.jobs.failure.KafkaFailures;
import java.io.IOException;
import java.io.Serializable;
import java.util.Collection;
import java.util.List;
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
 * Kafka's sink, except that it cannot end the TaskManager when it is closed, and, unless such a
 * loss is accepted, that it fails when the broker has aborted a transaction whose checkpoint is
 * complete; Kafka's sink only logs that and continues. Its state is that of the Kafka sink.
 */
public final class CheckedSink<T>
    implements TwoPhaseCommittingStatefulSink<T, KafkaWriterState, KafkaCommittable>,
        SupportsPostCommitTopology<KafkaCommittable> {
  private static final long serialVersionUID = 1L;

  private final KafkaSink<T> kafka;

  /** Null if a loss is accepted, or if there are no transactions. */
  private final Losses losses;

  private final KafkaFailures failures;

  private CheckedSink(KafkaSink<T> kafka, Losses losses, KafkaFailures failures) {
    this.kafka = kafka;
    this.losses = losses;
    this.failures = failures;
  }

  private record Losses(Properties clientConfig, String timeoutOption, String acceptOption)
      implements Serializable {}

  /** A sink without transactions, or one that continues when output is lost. */
  public static <T> CheckedSink<T> of(KafkaSink<T> kafka, KafkaFailures failures) {
    return new CheckedSink<>(kafka, null, failures);
  }

  /**
   * A sink with transactions that fails when output is lost.
   *
   * @param clientConfig properties of the Kafka clients
   * @param timeoutOption the option that limits how long a transaction may be open, for the error
   * @param acceptOption the option that accepts such a loss, for the error
   */
  public static <T> CheckedSink<T> failingOnLoss(
      KafkaSink<T> kafka,
      Properties clientConfig,
      String timeoutOption,
      String acceptOption,
      KafkaFailures failures) {
    return new CheckedSink<>(
        kafka, new Losses(clientConfig, timeoutOption, acceptOption), failures);
  }

  @Override
  public Committer<KafkaCommittable> createCommitter(CommitterInitContext context) {
    Committer<KafkaCommittable> committer = createKafkas(context);
    return losses == null
        ? new CheckedCommitter(
            committer, transaction -> CheckedCommitter.Fate.UNKNOWN, "", "", failures)
        : new CheckedCommitter(
            committer,
            new TransactionFates(losses.clientConfig),
            losses.timeoutOption,
            losses.acceptOption,
            failures);
  }

  private Committer<KafkaCommittable> createKafkas(CommitterInitContext context) {
    try {
      return kafka.createCommitter(context);
    } catch (RuntimeException e) {
      failures.explain(e);
      throw e;
    }
  }

  @Override
  public PrecommittingStatefulSinkWriter<T, KafkaWriterState, KafkaCommittable> createWriter(
      WriterInitContext context) throws IOException {
    return restoreWriter(context, List.of());
  }

  @Override
  public PrecommittingStatefulSinkWriter<T, KafkaWriterState, KafkaCommittable> restoreWriter(
      WriterInitContext context, Collection<KafkaWriterState> state) throws IOException {
    try {
      return new GuardedWriter<>(
          kafka.restoreWriter(new ExplainingContext(context, failures), state), failures);
    } catch (RuntimeException e) {
      failures.explain(e);
      throw e;
    }
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

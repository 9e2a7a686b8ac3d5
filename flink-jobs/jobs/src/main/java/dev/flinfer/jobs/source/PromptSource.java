package dev.flinfer.jobs.source;

import dev.flinfer.flink.Inference;
import dev.flinfer.jobs.failure.KafkaFailures;
import dev.flinfer.schema.SourceRecord;
import java.util.Properties;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.source.Boundedness;
import org.apache.flink.api.connector.source.Source;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.java.typeutils.ResultTypeQueryable;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.KafkaSourceEnumState;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.core.io.SimpleVersionedSerializer;

/**
 * Kafka's source with what this job needs in addition: it pauses while the downstream operator is
 * full, commits its last offsets when it ends, and ends if it is bounded and was restored. Its
 * state is that of the Kafka source.
 */
public final class PromptSource
    implements Source<SourceRecord, KafkaPartitionSplit, KafkaSourceEnumState>,
        ResultTypeQueryable<SourceRecord> {
  private static final long serialVersionUID = 1L;

  private final KafkaSource<SourceRecord> kafka;
  private final Properties clientConfig;
  private final KafkaFailures failures;

  /**
   * @param clientConfig properties of the Kafka clients
   * @param failures with the group that the offsets are committed to
   */
  public PromptSource(
      KafkaSource<SourceRecord> kafka, Properties clientConfig, KafkaFailures failures) {
    this.kafka = kafka;
    this.clientConfig = clientConfig;
    this.failures = failures;
  }

  @Override
  public SourceReader<SourceRecord, KafkaPartitionSplit> createReader(SourceReaderContext context)
      throws Exception {
    return Inference.pausing(
        new CommittingReader(
            kafka.createReader(context),
            new GroupOffsets(clientConfig, failures.group()),
            failures));
  }

  @Override
  public Boundedness getBoundedness() {
    return kafka.getBoundedness();
  }

  @Override
  public SplitEnumerator<KafkaPartitionSplit, KafkaSourceEnumState> createEnumerator(
      SplitEnumeratorContext<KafkaPartitionSplit> context) {
    return new GuardedEnumerator<>(kafka.createEnumerator(explaining(context)));
  }

  @Override
  public SplitEnumerator<KafkaPartitionSplit, KafkaSourceEnumState> restoreEnumerator(
      SplitEnumeratorContext<KafkaPartitionSplit> context, KafkaSourceEnumState state)
      throws Exception {
    SplitEnumeratorContext<KafkaPartitionSplit> explaining = explaining(context);
    return getBoundedness() == Boundedness.BOUNDED
        ? EndingEnumerator.restore(explaining, ending -> kafka.restoreEnumerator(ending, state))
        : new GuardedEnumerator<>(kafka.restoreEnumerator(explaining, state));
  }

  private SplitEnumeratorContext<KafkaPartitionSplit> explaining(
      SplitEnumeratorContext<KafkaPartitionSplit> context) {
    return WatchedCalls.of(
        context,
        handler ->
            (result, failure) -> {
              try {
                handler.accept(result, failure);
              } catch (RuntimeException e) {
                failures.explain(e);
                throw e;
              }
            });
  }

  @Override
  public SimpleVersionedSerializer<KafkaPartitionSplit> getSplitSerializer() {
    return kafka.getSplitSerializer();
  }

  @Override
  public SimpleVersionedSerializer<KafkaSourceEnumState> getEnumeratorCheckpointSerializer() {
    return kafka.getEnumeratorCheckpointSerializer();
  }

  @Override
  public TypeInformation<SourceRecord> getProducedType() {
    return kafka.getProducedType();
  }
}

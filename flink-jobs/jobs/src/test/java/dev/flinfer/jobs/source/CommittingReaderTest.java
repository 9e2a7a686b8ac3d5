package dev.flinfer.jobs.source;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.jobs.failure.KafkaFailures;
import dev.flinfer.schema.SourceRecord;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.core.io.InputStatus;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.junit.jupiter.api.Test;

final class CommittingReaderTest {
  private static final TopicPartition ZERO = new TopicPartition("prompts", 0);
  private static final KafkaFailures FAILURES = new KafkaFailures("kafka:9092", "group", "prefix");
  private static final TopicPartition ONE = new TopicPartition("prompts", 1);

  private RuntimeException pollFailure;
  private final List<KafkaPartitionSplit> positions = new ArrayList<>();
  private final List<Map<TopicPartition, Long>> committed = new ArrayList<>();
  private final CommittingReader reader =
      new CommittingReader(new Positions(), committed::add, FAILURES);

  /** A Kafka reader whose positions the test sets. */
  private final class Positions implements SourceReader<SourceRecord, KafkaPartitionSplit> {
    @Override
    public void start() {}

    @Override
    public InputStatus pollNext(ReaderOutput<SourceRecord> output) {
      if (pollFailure != null) {
        throw pollFailure;
      }
      return InputStatus.NOTHING_AVAILABLE;
    }

    @Override
    public List<KafkaPartitionSplit> snapshotState(long checkpointId) {
      return List.copyOf(positions);
    }

    @Override
    public CompletableFuture<Void> isAvailable() {
      return CompletableFuture.completedFuture(null);
    }

    @Override
    public void addSplits(List<KafkaPartitionSplit> splits) {}

    @Override
    public void notifyNoMoreSplits() {}

    @Override
    public void close() {
      throw new IllegalStateException("no broker");
    }
  }

  private void checkpoint(long id, KafkaPartitionSplit... splits) {
    positions.clear();
    positions.addAll(List.of(splits));
    reader.snapshotState(id);
  }

  /**
   * Flink ends the TaskManager when the clean-up of a failed task throws. Kafka's reader always
   * throws here, and the offsets are committed nevertheless.
   */
  @Test
  void aFailureToCloseDoesNotFailTheCleanUp() {
    CommittingReader failing =
        new CommittingReader(
            new Positions(),
            offsets -> {
              throw new IllegalStateException("no broker");
            },
            FAILURES);
    positions.add(new KafkaPartitionSplit(ZERO, 5));
    failing.snapshotState(1);
    assertThatCode(
            () -> {
              failing.notifyCheckpointComplete(1);
              failing.close();
            })
        .doesNotThrowAnyException();
  }

  @Test
  void failuresOfKafkaAreExplained() throws Exception {
    assertThat(reader.pollNext(null)).isEqualTo(InputStatus.NOTHING_AVAILABLE);
    pollFailure =
        new IllegalStateException(
            "One or more fetchers have encountered exception",
            new TopicAuthorizationException(Set.of("prompts")));
    assertThatThrownBy(() -> reader.pollNext(null))
        .hasMessageStartingWith("Kafka refuses the job's user topic prompts");
    pollFailure = new IllegalStateException("a bug");
    assertThatThrownBy(() -> reader.pollNext(null)).isSameAs(pollFailure);
  }

  @Test
  void commitsTheOffsetsOfTheLastCompleteCheckpoint() throws Exception {
    checkpoint(1, new KafkaPartitionSplit(ZERO, 5));
    checkpoint(2, new KafkaPartitionSplit(ZERO, 7), new KafkaPartitionSplit(ONE, 3));
    checkpoint(3, new KafkaPartitionSplit(ZERO, 9));
    checkpoint(4, new KafkaPartitionSplit(ZERO, 10));
    reader.notifyCheckpointComplete(2);
    reader.notifyCheckpointComplete(1); // late
    reader.notifyCheckpointAborted(3);
    reader.notifyCheckpointComplete(3); // never
    assertThat(committed).isEmpty();

    reader.close();
    assertThat(committed).containsExactly(Map.of(ZERO, 7L, ONE, 3L));
  }

  @Test
  void aPartitionThatIsFinishedIsReadToItsEnd() throws Exception {
    reader.addSplits(
        List.of(new KafkaPartitionSplit(ZERO, 0, 8), new KafkaPartitionSplit(ONE, 0, 6)));
    checkpoint(1, new KafkaPartitionSplit(ONE, 2, 6));
    reader.notifyCheckpointComplete(1);
    reader.close();
    assertThat(committed).containsExactly(Map.of(ZERO, 8L, ONE, 2L));
  }

  @Test
  void aPartitionThatWasNotReadHasNoOffset() throws Exception {
    checkpoint(1, new KafkaPartitionSplit(ZERO, KafkaPartitionSplit.COMMITTED_OFFSET));
    reader.notifyCheckpointComplete(1);
    reader.close();
    assertThat(committed).isEmpty();
  }

  @Test
  void withoutACheckpointNothingIsCommitted() throws Exception {
    checkpoint(1, new KafkaPartitionSplit(ZERO, 5));
    reader.close();
    assertThat(committed).isEmpty();
  }
}

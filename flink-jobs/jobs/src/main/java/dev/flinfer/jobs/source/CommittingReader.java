package dev.flinfer.jobs.source;

import dev.flinfer.flink.TaskCleanup;
import dev.flinfer.jobs.failure.KafkaFailures;
import dev.flinfer.schema.SourceRecord;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.flink.api.connector.source.ReaderOutput;
import org.apache.flink.api.connector.source.SourceEvent;
import org.apache.flink.api.connector.source.SourceReader;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.core.io.InputStatus;
import org.apache.kafka.common.TopicPartition;

/**
 * Commits the offsets of its last complete checkpoint when it is closed. Kafka's own reader hands
 * them to a thread and then stops that thread, so that the offsets of a savepoint that stops the
 * job, or of the last checkpoint of a bounded job, are usually never committed.
 */
final class CommittingReader implements SourceReader<SourceRecord, KafkaPartitionSplit> {
  /** The commit itself waits for 5 s, and its client for some more to close. */
  private static final Duration COMMIT_LIMIT = Duration.ofSeconds(10);

  private final SourceReader<SourceRecord, KafkaPartitionSplit> kafka;
  private final Consumer<Map<TopicPartition, Long>> group;
  private final KafkaFailures failures;

  /**
   * The end offset of each bounded partition: a finished partition is no longer part of
   * checkpoints.
   */
  private final Map<TopicPartition, Long> ends = new HashMap<>();

  private final TreeMap<Long, Map<TopicPartition, Long>> offsets = new TreeMap<>();
  private Map<TopicPartition, Long> complete = Map.of();

  CommittingReader(
      SourceReader<SourceRecord, KafkaPartitionSplit> kafka,
      Consumer<Map<TopicPartition, Long>> group,
      KafkaFailures failures) {
    this.kafka = kafka;
    this.group = group;
    this.failures = failures;
  }

  @Override
  public void addSplits(List<KafkaPartitionSplit> splits) {
    for (KafkaPartitionSplit split : splits) {
      split.getStoppingOffset().ifPresent(end -> ends.put(split.getTopicPartition(), end));
    }
    kafka.addSplits(splits);
  }

  @Override
  public List<KafkaPartitionSplit> snapshotState(long checkpointId) {
    List<KafkaPartitionSplit> splits = kafka.snapshotState(checkpointId);
    Map<TopicPartition, Long> positions = new HashMap<>(ends);
    for (KafkaPartitionSplit split : splits) {
      // A negative value is a marker, such as for the beginning, not an offset: nothing was read.
      positions.put(split.getTopicPartition(), split.getStartingOffset());
    }
    positions.values().removeIf(offset -> offset < 0);
    offsets.put(checkpointId, positions);
    return splits;
  }

  @Override
  public void notifyCheckpointComplete(long checkpointId) throws Exception {
    kafka.notifyCheckpointComplete(checkpointId);
    Map<TopicPartition, Long> positions = offsets.get(checkpointId);
    if (positions != null) {
      complete = positions;
      offsets.headMap(checkpointId, true).clear();
    }
  }

  @Override
  public void notifyCheckpointAborted(long checkpointId) throws Exception {
    kafka.notifyCheckpointAborted(checkpointId);
    offsets.remove(checkpointId);
  }

  /** Neither throws nor blocks for long: see {@link TaskCleanup}. */
  @Override
  public void close() {
    TaskCleanup.close("Kafka reader", kafka);
    if (!complete.isEmpty() && !Thread.currentThread().isInterrupted()) { // continues elsewhere
      TaskCleanup.close(
          "consumer that commits the last offsets", () -> group.accept(complete), COMMIT_LIMIT);
    }
  }

  @Override
  public void start() {
    kafka.start();
  }

  @Override
  public InputStatus pollNext(ReaderOutput<SourceRecord> output) throws Exception {
    try {
      return kafka.pollNext(output);
    } catch (Exception e) {
      failures.explain(e);
      throw e;
    }
  }

  @Override
  public CompletableFuture<Void> isAvailable() {
    return kafka.isAvailable();
  }

  @Override
  public void notifyNoMoreSplits() {
    kafka.notifyNoMoreSplits();
  }

  @Override
  public void pauseOrResumeSplits(Collection<String> toPause, Collection<String> toResume) {
    kafka.pauseOrResumeSplits(toPause, toResume);
  }

  @Override
  public void handleSourceEvents(SourceEvent event) {
    kafka.handleSourceEvents(event);
  }
}

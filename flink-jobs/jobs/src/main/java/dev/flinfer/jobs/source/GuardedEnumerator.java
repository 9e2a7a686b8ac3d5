package dev.flinfer.jobs.source;

import dev.flinfer.flink.TaskCleanup;
import java.util.List;
import org.apache.flink.api.connector.source.SourceEvent;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.SplitEnumerator;

/**
 * Kafka's enumerator, except that closing it does not wait for a broker that does not answer. Its
 * admin client waits for pending requests, and Flink fails the job again if that takes a minute.
 */
class GuardedEnumerator<S extends SourceSplit, C> implements SplitEnumerator<S, C> {
  private final SplitEnumerator<S, C> kafka;

  GuardedEnumerator(SplitEnumerator<S, C> kafka) {
    this.kafka = kafka;
  }

  @Override
  public void start() {
    kafka.start();
  }

  @Override
  public void addReader(int subtask) {
    kafka.addReader(subtask);
  }

  @Override
  public void addSplitsBack(List<S> splits, int subtask) {
    kafka.addSplitsBack(splits, subtask);
  }

  @Override
  public void handleSplitRequest(int subtask, String host) {
    kafka.handleSplitRequest(subtask, host);
  }

  @Override
  public void handleSourceEvent(int subtask, SourceEvent event) {
    kafka.handleSourceEvent(subtask, event);
  }

  @Override
  public C snapshotState(long checkpointId) throws Exception {
    return kafka.snapshotState(checkpointId);
  }

  @Override
  public void notifyCheckpointComplete(long checkpointId) throws Exception {
    kafka.notifyCheckpointComplete(checkpointId);
  }

  @Override
  public void notifyCheckpointAborted(long checkpointId) throws Exception {
    kafka.notifyCheckpointAborted(checkpointId);
  }

  @Override
  public void close() {
    TaskCleanup.close("Kafka enumerator", kafka);
  }
}

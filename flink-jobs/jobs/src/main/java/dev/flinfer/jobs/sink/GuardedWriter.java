package dev.flinfer.jobs.sink;

import dev.flinfer.flink.TaskCleanup;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.apache.flink.connector.kafka.sink.KafkaWriterState;
import org.apache.flink.connector.kafka.sink.TwoPhaseCommittingStatefulSink.PrecommittingStatefulSinkWriter;

/**
 * Kafka's writer, except that closing it neither throws nor blocks for long. When a task is cleaned
 * up while no broker answers, Kafka's writer waits for a minute to abort its transaction, and then
 * throws that failure or the one of an earlier send, with which the task has failed already.
 */
final class GuardedWriter<T>
    implements PrecommittingStatefulSinkWriter<T, KafkaWriterState, KafkaCommittable> {
  private final PrecommittingStatefulSinkWriter<T, KafkaWriterState, KafkaCommittable> kafka;

  GuardedWriter(PrecommittingStatefulSinkWriter<T, KafkaWriterState, KafkaCommittable> kafka) {
    this.kafka = kafka;
  }

  @Override
  public void write(T element, Context context) throws IOException, InterruptedException {
    kafka.write(element, context);
  }

  @Override
  public void writeWatermark(Watermark watermark) throws IOException, InterruptedException {
    kafka.writeWatermark(watermark);
  }

  @Override
  public void flush(boolean endOfInput) throws IOException, InterruptedException {
    kafka.flush(endOfInput);
  }

  @Override
  public Collection<KafkaCommittable> prepareCommit() throws IOException, InterruptedException {
    return kafka.prepareCommit();
  }

  @Override
  public List<KafkaWriterState> snapshotState(long checkpointId) throws IOException {
    return kafka.snapshotState(checkpointId);
  }

  @Override
  public void close() {
    TaskCleanup.close("Kafka writer", kafka);
  }
}

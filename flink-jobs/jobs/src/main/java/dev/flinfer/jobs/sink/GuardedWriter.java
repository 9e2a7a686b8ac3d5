package dev.flinfer.jobs.sink;

import dev.flinfer.flink.TaskCleanup;
import dev.flinfer.jobs.failure.KafkaFailures;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.apache.flink.connector.kafka.sink.KafkaWriterState;
import org.apache.flink.connector.kafka.sink.TwoPhaseCommittingStatefulSink.PrecommittingStatefulSinkWriter;

/**
 * Kafka's writer, except that its failures are explained, and that closing it neither throws nor
 * blocks for long. When a task is cleaned up while no broker answers, Kafka's writer waits for a
 * minute to abort its transaction, and then throws that failure or the one of an earlier send, with
 * which the task has failed already.
 */
final class GuardedWriter<T>
    implements PrecommittingStatefulSinkWriter<T, KafkaWriterState, KafkaCommittable> {
  private final PrecommittingStatefulSinkWriter<T, KafkaWriterState, KafkaCommittable> kafka;

  private final KafkaFailures failures;

  GuardedWriter(
      PrecommittingStatefulSinkWriter<T, KafkaWriterState, KafkaCommittable> kafka,
      KafkaFailures failures) {
    this.kafka = kafka;
    this.failures = failures;
  }

  @Override
  public void write(T element, Context context) throws IOException, InterruptedException {
    try {
      kafka.write(element, context);
    } catch (IOException | RuntimeException e) {
      failures.explain(e);
      throw e;
    }
  }

  @Override
  public void writeWatermark(Watermark watermark) throws IOException, InterruptedException {
    kafka.writeWatermark(watermark);
  }

  @Override
  public void flush(boolean endOfInput) throws IOException, InterruptedException {
    try {
      kafka.flush(endOfInput);
    } catch (IOException | RuntimeException e) {
      failures.explain(e);
      throw e;
    }
  }

  @Override
  public Collection<KafkaCommittable> prepareCommit() throws IOException, InterruptedException {
    try {
      return kafka.prepareCommit();
    } catch (IOException | RuntimeException e) {
      failures.explain(e);
      throw e;
    }
  }

  @Override
  public List<KafkaWriterState> snapshotState(long checkpointId) throws IOException {
    try {
      return kafka.snapshotState(checkpointId);
    } catch (IOException | RuntimeException e) {
      failures.explain(e);
      throw e;
    }
  }

  @Override
  public void close() {
    TaskCleanup.close("Kafka writer", kafka);
  }
}

package dev.flinfer.jobs.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.jobs.failure.KafkaFailures;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.apache.flink.api.common.eventtime.Watermark;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.apache.flink.connector.kafka.sink.KafkaWriterState;
import org.apache.flink.connector.kafka.sink.TwoPhaseCommittingStatefulSink.PrecommittingStatefulSinkWriter;
import org.apache.kafka.common.errors.TimeoutException;
import org.junit.jupiter.api.Test;

final class GuardedWriterTest {
  private final List<String> calls = new ArrayList<>();
  private final GuardedWriter<String> writer =
      new GuardedWriter<>(new Failing(), new KafkaFailures("kafka:9092", "group", "prefix"));

  /** Fails as Kafka's writer does after a send has failed. */
  private final class Failing
      implements PrecommittingStatefulSinkWriter<String, KafkaWriterState, KafkaCommittable> {
    @Override
    public void write(String element, Context context) throws IOException {
      calls.add(element);
      throw new IOException(
          "One or more Kafka Producer send requests have encountered exception",
          new TimeoutException("Expiring 3 record(s) for completions-0"));
    }

    @Override
    public void writeWatermark(Watermark watermark) {
      calls.add("watermark");
    }

    @Override
    public void flush(boolean endOfInput) {
      calls.add("flush " + endOfInput);
    }

    @Override
    public Collection<KafkaCommittable> prepareCommit() {
      return List.of(new KafkaCommittable(1, (short) 0, "a", null));
    }

    @Override
    public List<KafkaWriterState> snapshotState(long checkpointId) {
      calls.add("snapshot " + checkpointId);
      return List.of();
    }

    @Override
    public void close() throws Exception {
      calls.add("close");
      throw new IOException("One or more Kafka Producer send requests have encountered exception");
    }
  }

  /** Flink ends the TaskManager when the clean-up of a failed task throws. */
  @Test
  void aSendThatFailedDoesNotFailTheCleanUp() {
    writer.close();
    assertThat(calls).containsExactly("close");
  }

  @Test
  void everythingElseIsKafkasWithFailuresExplained() throws Exception {
    assertThatThrownBy(() -> writer.write("record", null))
        .hasMessageStartingWith(
            "Kafka at kafka:9092 did not confirm in time (Expiring 3 record(s)");
    writer.writeWatermark(new Watermark(1));
    writer.flush(true);
    assertThat(writer.prepareCommit()).hasSize(1);
    assertThat(writer.snapshotState(3)).isEmpty();
    assertThat(calls).containsExactly("record", "watermark", "flush true", "snapshot 3");
  }
}

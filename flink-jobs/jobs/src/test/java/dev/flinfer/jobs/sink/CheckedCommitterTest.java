package dev.flinfer.jobs.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.jobs.failure.KafkaFailures;
import dev.flinfer.jobs.sink.CheckedCommitter.Fate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Properties;
import org.apache.flink.api.connector.sink2.Committer;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.apache.flink.connector.kafka.sink.internal.FlinkKafkaInternalProducer;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CheckedCommitterTest {
  private final List<String> heard = new ArrayList<>();
  private boolean closed;

  /** Signals for each request what Kafka's committer signals if the producer is fenced. */
  private RuntimeException failure = new ProducerFencedException("fenced");

  private int retries;
  private FlinkKafkaInternalProducer<?, ?> producer;

  private final class Fenced implements Committer<KafkaCommittable> {
    @Override
    public void commit(Collection<CommitRequest<KafkaCommittable>> requests) {
      requests.forEach(
          request -> {
            if (failure instanceof ProducerFencedException) {
              request.signalFailedWithKnownReason(failure);
            } else {
              request.signalFailedWithUnknownReason(failure);
            }
          });
    }

    @Override
    public void close() {
      closed = true;
      throw new IllegalStateException("no broker");
    }
  }

  private final class Request implements Committer.CommitRequest<KafkaCommittable> {
    @Override
    public KafkaCommittable getCommittable() {
      return new KafkaCommittable(1, (short) 0, "flinfer-completions-0-7", producer);
    }

    @Override
    public int getNumberOfRetries() {
      return retries;
    }

    @Override
    public void signalFailedWithKnownReason(Throwable why) {
      heard.add("known: " + why.getMessage());
    }

    @Override
    public void signalFailedWithUnknownReason(Throwable why) {
      heard.add("unknown: " + why.getMessage());
    }

    @Override
    public void retryLater() {
      heard.add("retry");
    }

    @Override
    public void updateAndRetryLater(KafkaCommittable committable) {
      heard.add("update");
    }

    @Override
    public void signalAlreadyCommitted() {
      heard.add("committed");
    }
  }

  private CheckedCommitter committer(Fate fate) {
    return new CheckedCommitter(
        new Fenced(),
        transaction -> fate,
        "the.timeout",
        "accept.losses",
        new KafkaFailures("kafka:9092", "group", "prefix"));
  }

  @ParameterizedTest
  @CsvSource({"COMMITTED, committed", "UNKNOWN, known: fenced"})
  void continuesIfNothingIsKnownToBeLost(Fate fate, String signal) throws Exception {
    committer(fate).commit(List.of(new Request()));
    assertThat(heard).containsExactly(signal);
  }

  @Test
  void failsWhereOutputIsLost() throws Exception {
    CheckedCommitter committer = committer(Fate.ABORTED);
    committer.commit(List.of(new Request()));

    assertThat(heard)
        .containsExactly(
            "unknown: The broker aborted transaction flinfer-completions-0-7 although its"
                + " checkpoint is complete: its output is lost. It was open for longer than"
                + " the.timeout, because the job was down or stalled for that"
                + " long, or another job uses the transactional ids, too. Start the job from an older checkpoint or savepoint, or continue without"
                + " this output with accept.losses=true");
  }

  /** While the job runs, only another job can have fenced its transaction. */
  @Test
  void failsWhereAnotherJobUsesTheTransactionalId() throws Exception {
    Properties config = new Properties();
    config.put("bootstrap.servers", "127.0.0.1:1");
    config.put("key.serializer", ByteArraySerializer.class.getName());
    config.put("value.serializer", ByteArraySerializer.class.getName());
    try (FlinkKafkaInternalProducer<?, ?> running =
        new FlinkKafkaInternalProducer<>(config, "flinfer-completions-0-7")) {
      producer = running;
      committer(Fate.UNKNOWN).commit(List.of(new Request()));
    }
    assertThat(heard)
        .containsExactly(
            "unknown: Another job uses transactional ids that start with prefix, too, and they"
                + " abort each other's transactions: stop one of them, or give it its own"
                + " flinfer.kafka.transactional-id-prefix");
  }

  /** Kafka's committer reports the second try of a commit that timed out as a wrong state. */
  @Test
  void explainsACommitThatTimedOut() throws Exception {
    failure = new IllegalStateException("Transaction was not started");
    committer(Fate.UNKNOWN).commit(List.of(new Request()));
    retries = 1;
    committer(Fate.UNKNOWN).commit(List.of(new Request()));
    assertThat(heard.get(0)).isEqualTo("unknown: Transaction was not started");
    assertThat(heard.get(1)).startsWith("unknown: Kafka at kafka:9092 did not confirm in time (");
  }

  /** Flink ends the TaskManager when the clean-up of a failed task throws. */
  @Test
  void aFailureToCloseDoesNotFailTheCleanUp() {
    committer(Fate.UNKNOWN).close();
    assertThat(closed).isTrue();
  }
}

package dev.flinfer.jobs.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.jobs.sink.CheckedCommitter.Fate;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.apache.flink.api.connector.sink2.Committer;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class CheckedCommitterTest {
  private final List<String> heard = new ArrayList<>();
  private boolean closed;

  /** Signals for each request what Kafka's committer signals if the producer is fenced. */
  private final class Fenced implements Committer<KafkaCommittable> {
    @Override
    public void commit(Collection<CommitRequest<KafkaCommittable>> requests) {
      requests.forEach(
          request -> request.signalFailedWithKnownReason(new IllegalStateException("fenced")));
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
      return new KafkaCommittable(1, (short) 0, "flinfer-completions-0-7", null);
    }

    @Override
    public int getNumberOfRetries() {
      return 0;
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
    return new CheckedCommitter(new Fenced(), transaction -> fate, "the.timeout", "accept.losses");
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
                + " long. Start the job from an older checkpoint or savepoint, or continue without"
                + " this output with accept.losses=true");
  }

  /** Flink ends the TaskManager when the clean-up of a failed task throws. */
  @Test
  void aFailureToCloseDoesNotFailTheCleanUp() {
    committer(Fate.UNKNOWN).close();
    assertThat(closed).isTrue();
  }
}

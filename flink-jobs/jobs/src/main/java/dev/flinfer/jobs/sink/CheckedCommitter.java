package dev.flinfer.jobs.sink;

import dev.flinfer.flink.TaskCleanup;
import dev.flinfer.jobs.failure.KafkaFailures;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.flink.api.connector.sink2.Committer;
import org.apache.flink.connector.kafka.sink.KafkaCommittable;

/**
 * Queries the broker for the fate of a transaction that it refuses to commit. After a restart, such
 * a transaction was usually committed before the failure; if it was aborted, its contents are lost.
 */
final class CheckedCommitter implements Committer<KafkaCommittable> {

  /** How a transaction ended. */
  enum Fate {
    COMMITTED,
    ABORTED,
    /** The broker does not know. */
    UNKNOWN
  }

  private final Committer<KafkaCommittable> kafka;
  private final Function<KafkaCommittable, Fate> fates;
  private final String timeoutOption;
  private final String acceptOption;
  private final KafkaFailures failures;

  /**
   * @param timeoutOption the option that limits how long a transaction may be open, for the error
   * @param acceptOption the option that accepts such a loss, for the error
   */
  CheckedCommitter(
      Committer<KafkaCommittable> kafka,
      Function<KafkaCommittable, Fate> fates,
      String timeoutOption,
      String acceptOption,
      KafkaFailures failures) {
    this.kafka = kafka;
    this.fates = fates;
    this.timeoutOption = timeoutOption;
    this.acceptOption = acceptOption;
    this.failures = failures;
  }

  @Override
  public void commit(Collection<CommitRequest<KafkaCommittable>> requests)
      throws IOException, InterruptedException {
    List<CommitRequest<KafkaCommittable>> checked =
        requests.stream().map(Checked::new).collect(Collectors.toList());
    kafka.commit(checked);
  }

  @Override
  public void close() {
    TaskCleanup.close("Kafka committer", kafka);
  }

  private final class Checked implements CommitRequest<KafkaCommittable> {
    private final CommitRequest<KafkaCommittable> request;

    Checked(CommitRequest<KafkaCommittable> request) {
      this.request = request;
    }

    /** After this signal Kafka's committer continues as if the transaction were committed. */
    @Override
    public void signalFailedWithKnownReason(Throwable why) {
      switch (fates.apply(getCommittable())) {
        case COMMITTED:
          request.signalAlreadyCommitted();
          break;
        case ABORTED:
          request.signalFailedWithUnknownReason(new LostTransactionException(lost(), why));
          break;
        default:
          failedForUnknownFate(why);
      }
    }

    /**
     * After a restart, the transaction was usually committed before. While the job runs, another
     * producer with the same transactional id has aborted it.
     */
    private void failedForUnknownFate(Throwable why) {
      if (getCommittable().getProducer().isPresent() && KafkaFailures.isFenced(why)) {
        request.signalFailedWithUnknownReason(failures.fenced(why));
      } else {
        request.signalFailedWithKnownReason(why);
      }
    }

    private String lost() {
      return ("The broker aborted transaction %s although its checkpoint is complete: its output is"
              + " lost. It was open for longer than %s, because the job was down or stalled for"
              + " that long, or another job uses the transactional ids, too. Start the job from an older checkpoint or savepoint, or continue"
              + " without this output with %s=true")
          .formatted(getCommittable().getTransactionalId(), timeoutOption, acceptOption);
    }

    @Override
    public KafkaCommittable getCommittable() {
      return request.getCommittable();
    }

    @Override
    public int getNumberOfRetries() {
      return request.getNumberOfRetries();
    }

    @Override
    public void signalFailedWithUnknownReason(Throwable why) {
      request.signalFailedWithUnknownReason(explained(why));
    }

    private Throwable explained(Throwable why) {
      // Kafka's committer cannot repeat a commit that timed out, only Flink's restart can.
      return getNumberOfRetries() > 0 && why instanceof IllegalStateException
          ? failures.timeout(why)
          : failures.explained(why);
    }

    @Override
    public void retryLater() {
      request.retryLater();
    }

    @Override
    public void updateAndRetryLater(KafkaCommittable committable) {
      request.updateAndRetryLater(committable);
    }

    @Override
    public void signalAlreadyCommitted() {
      request.signalAlreadyCommitted();
    }

    /** The connector logs a transaction by this text. */
    @Override
    public String toString() {
      return request.toString();
    }
  }
}

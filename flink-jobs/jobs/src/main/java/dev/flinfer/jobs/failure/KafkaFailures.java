package dev.flinfer.jobs.failure;

import java.io.Serializable;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.flink.util.ExceptionUtils;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.NotEnoughReplicasAfterAppendException;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.UnsupportedVersionException;

/**
 * Explains failures that repeat until someone acts, or until the brokers are back: what is wrong,
 * where, and what to do. The restart strategy waits between the attempts.
 *
 * @param bootstrapServers the brokers
 * @param group the consumer group
 * @param transactionalIdPrefix start of the job's transactional ids
 */
public record KafkaFailures(String bootstrapServers, String group, String transactionalIdPrefix)
    implements Serializable {
  private static final long serialVersionUID = 1L;

  private static final String DUPLICATE_PREFIX = "Found duplicate transactionalIdPrefix";

  /**
   * Returns if there is nothing to add to the failure.
   *
   * @throws KafkaFailure if there is
   */
  public void explain(Exception failure) {
    if (explained(failure) instanceof KafkaFailure explained) {
      throw explained;
    }
  }

  /** Returns a {@link KafkaFailure}, or the failure itself if there is nothing to add to it. */
  public Throwable explained(Throwable failure) {
    return failure instanceof KafkaFailure
        ? failure
        : sentence(failure).<Throwable>map(s -> new KafkaFailure(s, failure)).orElse(failure);
  }

  /** Explains that the brokers did not confirm in time. */
  public KafkaFailure timeout(Throwable failure) {
    return new KafkaFailure(unconfirmed(failure), failure);
  }

  private Optional<String> sentence(Throwable failure) {
    if (isFenced(failure)) {
      return Optional.of(fenced());
    }
    return Stream.of(rights(), brokers(), records())
        .flatMap(List::stream)
        .flatMap(rule -> rule.explain(failure).stream())
        .findFirst();
  }

  /** The sentence for one kind of failure. */
  private record Rule<T extends Throwable>(Class<T> type, Function<T, String> sentence) {
    Optional<String> explain(Throwable failure) {
      return ExceptionUtils.findThrowable(failure, type).map(sentence);
    }
  }

  private List<Rule<?>> rights() {
    return List.of(
        new Rule<>(
            TopicAuthorizationException.class,
            e ->
                ("Kafka refuses the job's user topic %s: give it the rights Describe and Read for"
                        + " the input topic, Describe and Write for the others")
                    .formatted(String.join(", ", e.unauthorizedTopics()))),
        new Rule<>(
            TransactionalIdAuthorizationException.class,
            e ->
                ("Kafka refuses the job's user the transactional ids that start with %s: give it"
                        + " the rights Describe and Write for them, or set"
                        + " flinfer.kafka.transactional-id-prefix")
                    .formatted(transactionalIdPrefix)),
        new Rule<>(
            GroupAuthorizationException.class,
            e ->
                ("Kafka refuses the job's user the consumer group %s: give it the right Read for"
                        + " it, or set flinfer.kafka.group-id")
                    .formatted(group)),
        new Rule<>(
            ClusterAuthorizationException.class,
            e -> "Kafka refuses the job's user: give it the right IdempotentWrite on the cluster"),
        new Rule<>(
            AuthenticationException.class,
            e ->
                ("Kafka at %s does not accept the job's credentials (%s): correct"
                        + " flinfer.kafka.properties")
                    .formatted(bootstrapServers, e.getMessage())));
  }

  private List<Rule<?>> brokers() {
    String replicas =
        "Too few replicas of a topic are in sync: start the other brokers, or lower the topic's"
            + " min.insync.replicas";
    return List.of(
        new Rule<>(
            UnknownTopicOrPartitionException.class,
            e ->
                "A topic of the job does not exist at %s (%s): create it again, or stop the job"
                    .formatted(bootstrapServers, e.getMessage())),
        new Rule<>(NotEnoughReplicasException.class, e -> replicas),
        new Rule<>(NotEnoughReplicasAfterAppendException.class, e -> replicas),
        new Rule<>(
            UnsupportedVersionException.class,
            e ->
                "The brokers at %s are too old (%s): upgrade them to Kafka 2.1 or later"
                    .formatted(bootstrapServers, e.getMessage())),
        new Rule<>(TimeoutException.class, this::unconfirmed));
  }

  private List<Rule<?>> records() {
    return List.of(
        new Rule<>(RecordTooLargeException.class, KafkaFailures::stricter),
        new Rule<>(InvalidTimestampException.class, KafkaFailures::stricter),
        new Rule<>(InvalidRecordException.class, KafkaFailures::stricter));
  }

  private static String stricter(Throwable refusal) {
    return ("A topic has become stricter and refuses a record (%s): the job starts again and reads"
            + " what it accepts. If this repeats, give the job's user the right DescribeConfigs for"
            + " its output topics, and compare the brokers' clocks with this one")
        .formatted(refusal.getMessage());
  }

  private String unconfirmed(Throwable failure) {
    return ("Kafka at %s did not confirm in time (%s): check that the brokers run, that the job's"
            + " topics exist and that enough of their replicas are in sync. The job tries again")
        .formatted(bootstrapServers, failure.getMessage());
  }

  /** Whether another producer uses the transactional id. */
  public static boolean isFenced(Throwable failure) {
    return ExceptionUtils.findThrowable(failure, ProducerFencedException.class).isPresent()
        || ExceptionUtils.findThrowable(failure, InvalidProducerEpochException.class).isPresent()
        || ExceptionUtils.findThrowableWithMessage(failure, DUPLICATE_PREFIX).isPresent();
  }

  /** Explains that another job uses the same transactional ids. */
  public KafkaFailure fenced(Throwable failure) {
    return new KafkaFailure(fenced(), failure);
  }

  private String fenced() {
    return ("Another job uses transactional ids that start with %s, too, and they abort each other's"
            + " transactions: stop one of them, or give it its own"
            + " flinfer.kafka.transactional-id-prefix")
        .formatted(transactionalIdPrefix);
  }
}

package dev.flinfer.jobs.failure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.NotEnoughReplicasAfterAppendException;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class KafkaFailuresTest {
  private static final String REPLICAS =
      "Too few replicas of a topic are in sync: start the other brokers, or lower the topic's"
          + " min.insync.replicas";
  private static final String FENCED =
      "Another job uses transactional ids that start with the-prefix, too, and they abort each"
          + " other's transactions: stop one of them, or give it its own"
          + " flinfer.kafka.transactional-id-prefix";

  private final KafkaFailures failures = new KafkaFailures("kafka:9092", "the-group", "the-prefix");

  static Stream<Arguments> sentences() {
    return Stream.of(
        Arguments.of(
            new TopicAuthorizationException(Set.of("out")),
            "Kafka refuses the job's user topic out: give it the rights Describe and Read for the"
                + " input topic, Describe and Write for the others"),
        Arguments.of(
            new TransactionalIdAuthorizationException("denied"),
            "Kafka refuses the job's user the transactional ids that start with the-prefix: give it"
                + " the rights Describe and Write for them, or set"
                + " flinfer.kafka.transactional-id-prefix"),
        Arguments.of(
            GroupAuthorizationException.forGroupId("the-group"),
            "Kafka refuses the job's user the consumer group the-group: give it the right Read for"
                + " it, or set flinfer.kafka.group-id"),
        Arguments.of(
            new ClusterAuthorizationException("denied"),
            "Kafka refuses the job's user: give it the right IdempotentWrite on the cluster"),
        Arguments.of(
            new SaslAuthenticationException("wrong password"),
            "Kafka at kafka:9092 does not accept the job's credentials (wrong password): correct"
                + " flinfer.kafka.properties"),
        Arguments.of(new ProducerFencedException("fenced"), FENCED),
        Arguments.of(new InvalidProducerEpochException("old"), FENCED),
        Arguments.of(
            new IllegalStateException(
                "Found duplicate transactionalIdPrefix for multiple Kafka sinks: the-prefix"),
            FENCED),
        Arguments.of(
            new UnknownTopicOrPartitionException("no topic"),
            "A topic of the job does not exist at kafka:9092 (no topic): create it again, or stop"
                + " the job"),
        Arguments.of(new NotEnoughReplicasException("1 < 2"), REPLICAS),
        Arguments.of(new NotEnoughReplicasAfterAppendException("1 < 2"), REPLICAS),
        Arguments.of(
            new UnsupportedVersionException("no transactions"),
            "The brokers at kafka:9092 are too old (no transactions): upgrade them to Kafka 2.1 or"
                + " later"),
        Arguments.of(
            new TimeoutException("Topic out not present in metadata after 60000 ms."),
            "Kafka at kafka:9092 did not confirm in time (Topic out not present in metadata after"
                + " 60000 ms.): check that the brokers run, that the job's topics exist and that"
                + " enough of their replicas are in sync. The job tries again"),
        Arguments.of(new RecordTooLargeException("too large"), stricter("too large")),
        Arguments.of(new InvalidTimestampException("too old"), stricter("too old")),
        Arguments.of(new InvalidRecordException("no key"), stricter("no key")));
  }

  private static String stricter(String why) {
    return "A topic has become stricter and refuses a record (%s): the job starts again and reads"
            .formatted(why)
        + " what it accepts. If this repeats, give the job's user the right DescribeConfigs for its"
        + " output topics, and compare the brokers' clocks with this one";
  }

  @ParameterizedTest
  @MethodSource("sentences")
  void oneSentenceSaysWhatToDo(RuntimeException failure, String sentence) {
    IOException wrapped = new IOException("Failed to send data to Kafka", failure);
    assertThatThrownBy(() -> failures.explain(wrapped))
        .isInstanceOf(KafkaFailure.class)
        .hasMessage(sentence)
        .hasNoCause()
        .hasSuppressedException(wrapped);
  }

  @Test
  void otherFailuresAreNotChanged() {
    IOException bug = new IOException("a bug");
    assertThatCode(() -> failures.explain(bug)).doesNotThrowAnyException();
    assertThat(failures.explained(bug)).isSameAs(bug);
    KafkaFailure explained = failures.timeout(bug);
    assertThat(failures.explained(explained)).isSameAs(explained);
  }
}

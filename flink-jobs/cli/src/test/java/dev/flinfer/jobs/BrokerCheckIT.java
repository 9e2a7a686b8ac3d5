package dev.flinfer.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.cli.local.EmbeddedKafka;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class BrokerCheckIT {
  private static EmbeddedKafka kafka;

  @BeforeAll
  static void start() {
    kafka = EmbeddedKafka.start();
    kafka.createTopics(1, "prompts", "completions", "prompts-dlq", "throughput");
  }

  @AfterAll
  static void stop() {
    kafka.close();
  }

  @Test
  void acceptsTopicsThatExist() {
    BrokerCheck.run(options(Map.of()));
  }

  @Test
  void namesMissingTopicsAndHowToCreateThem() {
    String address = kafka.bootstrapServers();
    assertThatThrownBy(
            () ->
                BrokerCheck.run(
                    options(Map.of("flinfer.input.topic", "a", "flinfer.metrics.topic", "b"))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            """
            The job does not create topics, and these do not exist at %s. Create them:
              a (flinfer.input.topic): kafka-topics.sh --bootstrap-server %s --create --topic a --partitions 4
              b (flinfer.metrics.topic): kafka-topics.sh --bootstrap-server %s --create --topic b --partitions 4""",
            address, address, address);
  }

  @Test
  void namesAnInvalidTopicName() {
    assertThatThrownBy(() -> BrokerCheck.run(options(Map.of("flinfer.dlq.topic", "a b"))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Topic a b (flinfer.dlq.topic) cannot be used: ");
  }

  @Test
  void aTransactionMayNotBeLongerThanTheBrokerAllows() {
    assertThatThrownBy(
            () -> BrokerCheck.run(options(Map.of("flinfer.kafka.transaction-timeout", "20 min"))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "flinfer.kafka.transaction-timeout is 1200 s; the broker at %s allows at most 900 s."
                + " Lower it, or raise the broker's transaction.max.timeout.ms",
            kafka.bootstrapServers());
    BrokerCheck.run(
        options(
            Map.of(
                "flinfer.kafka.transaction-timeout", "20 min",
                "flinfer.delivery-guarantee", "at-least-once")));
  }

  @Test
  void namesABrokerThatDoesNotAnswer() {
    long start = System.nanoTime();
    assertThatThrownBy(
            () ->
                BrokerCheck.run(options(Map.of("flinfer.kafka.bootstrap-servers", "127.0.0.1:1"))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "No Kafka broker answers at 127.0.0.1:1 within 10 s. Start it, or correct"
                + " flinfer.kafka.bootstrap-servers");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(15));
  }

  @Test
  void namesAnInvalidAddress() {
    assertThatThrownBy(
            () -> BrokerCheck.run(options(Map.of("flinfer.kafka.bootstrap-servers", "broker"))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("No Kafka client can be created for broker with")
        .hasMessageContaining("Invalid url in bootstrap.servers: broker");
  }

  private static JobOptions options(Map<String, String> more) {
    Map<String, String> all = new HashMap<>(more);
    all.putIfAbsent("flinfer.kafka.bootstrap-servers", kafka.bootstrapServers());
    return JobOptions.from(Configuration.fromMap(all));
  }
}

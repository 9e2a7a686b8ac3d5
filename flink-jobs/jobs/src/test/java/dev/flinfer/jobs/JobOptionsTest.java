package dev.flinfer.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.jobs.KafkaOptions.StartingOffsets;
import dev.flinfer.schema.WireFormat;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class JobOptionsTest {
  @Test
  void readsAllOptions() {
    JobOptions options =
        options(
            Map.of(
                "flinfer.output.format", "avro",
                "flinfer.kafka.starting-offsets", "earliest",
                "flinfer.delivery-guarantee", "at-least-once",
                "flinfer.kafka.transaction-timeout", "5 min",
                "flinfer.kafka.properties.security.protocol", "SSL"));
    assertThat(options.outputFormat()).isEqualTo(WireFormat.AVRO);
    assertThat(options.startingOffsets()).isEqualTo(StartingOffsets.EARLIEST);
    assertThat(options.deliveryGuarantee()).isEqualTo(DeliveryGuarantee.AT_LEAST_ONCE);
    assertThat(options.transactionTimeout()).isEqualTo(Duration.ofMinutes(5));
    assertThat(options.clientConfig())
        .isEqualTo(Map.of("security.protocol", "SSL", "bootstrap.servers", "kafka:9092"));
    assertThat(options.topics())
        .containsOnly(
            Map.entry(KafkaOptions.INPUT_TOPIC, "prompts"),
            Map.entry(KafkaOptions.OUTPUT_TOPIC, "completions"),
            Map.entry(KafkaOptions.DLQ_TOPIC, "prompts-dlq"),
            Map.entry(KafkaOptions.METRICS_TOPIC, "throughput"));
  }

  @Test
  void readsTheLongNameOfTheDefaultStart() {
    assertThat(
            options(Map.of("flinfer.kafka.starting-offsets", "committed-or-earliest"))
                .startingOffsets())
        .isEqualTo(StartingOffsets.COMMITTED_OR_EARLIEST);
  }

  /** With one prefix for all, two jobs would abort each other's transactions. */
  @Test
  void jobsHaveDifferentTransactionalIdsUnlessAPrefixIsSet() {
    assertThat(options(Map.of()).transactionalIdPrefix())
        .isEqualTo("flinfer-flinfer/prompts/completions");
    assertThat(
            options(
                    Map.of(
                        "flinfer.kafka.group-id", "a",
                        "flinfer.input.topic", "b",
                        "flinfer.output.topic", "c"))
                .transactionalIdPrefix())
        .isEqualTo("flinfer-a/b/c");
    assertThat(
            options(Map.of("flinfer.kafka.transactional-id-prefix", "flinfer"))
                .transactionalIdPrefix())
        .isEqualTo("flinfer");
  }

  @Test
  void needsABroker() {
    assertThatThrownBy(() -> JobOptions.from(new Configuration()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "flinfer.kafka.bootstrap-servers is not set. Brokers to start from: host:port,"
                + " separated by commas.");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "flinfer.kafka.group-id           | ' '     | flinfer.kafka.group-id is empty. Consumer",
        "flinfer.kafka.transactional-id-prefix | ' ' | flinfer.kafka.transactional-id-prefix is"
            + " empty. Start of",
        "flinfer.output.topic             | ''      | flinfer.output.topic is empty. Topic the",
        "flinfer.dlq.topic                | prompts | flinfer.input.topic and flinfer.dlq.topic"
            + " are both prompts; each needs a topic of its own",
        "flinfer.output.format            | xml     | Could not parse value 'xml' for key"
            + " 'flinfer.output.format'.",
        "flinfer.delivery-guarantee       | none    | flinfer.delivery-guarantee is none; it must"
            + " be exactly-once or at-least-once",
        "flinfer.kafka.properties.group.id| a       | flinfer.kafka.properties sets group.id,"
            + " which the job sets itself",
      })
  void refuses(String key, String value, String message) {
    assertThatThrownBy(() -> options(Map.of(key, value)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(message);
  }

  @Test
  void saysWhatAnEnumAllows() {
    assertThatThrownBy(() -> options(Map.of("flinfer.kafka.starting-offsets", "newest")))
        .hasMessageContaining("[committed-or-earliest, earliest, latest]");
  }

  @Test
  void refusesABoundedJobWithNothingToRead() {
    assertThatThrownBy(
            () ->
                options(
                    Map.of("flinfer.bounded", "true", "flinfer.kafka.starting-offsets", "latest")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "flinfer.bounded is true and flinfer.kafka.starting-offsets is latest; such a job has"
                + " nothing to read. Start it at earliest or committed-or-earliest");
  }

  private static JobOptions options(Map<String, String> more) {
    Map<String, String> all = new HashMap<>(more);
    all.put("flinfer.kafka.bootstrap-servers", "kafka:9092");
    return JobOptions.from(Configuration.fromMap(all));
  }
}

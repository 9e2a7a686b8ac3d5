package dev.flinfer.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.Configuration;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartitionInfo;
import org.junit.jupiter.api.Test;

final class TopicCheckTest {
  private static final Node ONE = new Node(1, "a", 1);
  private static final Node TWO = new Node(2, "b", 2);

  private final Map<String, String> settings = new HashMap<>();
  private final Map<String, String> topic = new HashMap<>();
  private List<Node> inSync = List.of(ONE, TWO);

  private List<String> check(ConfigOption<String> option) {
    settings.put("flinfer.kafka.bootstrap-servers", "kafka:9092");
    List<ConfigEntry> entries = new ArrayList<>();
    topic.forEach((name, value) -> entries.add(new ConfigEntry(name, value)));
    TopicPartitionInfo partition = new TopicPartitionInfo(0, ONE, List.of(ONE, TWO), inSync);
    TopicCheck check = new TopicCheck(JobOptions.from(Configuration.fromMap(settings)));
    check.output(option, new TopicDescription("t", false, List.of(partition)), new Config(entries));
    return check.warnings();
  }

  @Test
  void aTopicThatNeedsMoreReplicasThanItHasIsRefused() {
    topic.put("min.insync.replicas", "2");
    assertThat(check(KafkaOptions.OUTPUT_TOPIC)).isEmpty();
    topic.put("min.insync.replicas", "3");
    assertThatThrownBy(() -> check(KafkaOptions.OUTPUT_TOPIC))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "Topic t (flinfer.output.topic) has 2 replicas and min.insync.replicas 3; the broker"
                + " refuses every record of it. Lower min.insync.replicas, or add replicas");

    settings.put("flinfer.delivery-guarantee", "at-least-once");
    assertThatThrownBy(() -> check(KafkaOptions.OUTPUT_TOPIC)).hasMessageStartingWith("Topic t");
    settings.put("flinfer.kafka.properties.acks", "1");
    assertThatCode(() -> check(KafkaOptions.OUTPUT_TOPIC)).doesNotThrowAnyException();
  }

  @Test
  void warnsOfReplicasThatAreNotInSync() {
    topic.put("min.insync.replicas", "2");
    inSync = List.of(ONE);
    assertThat(check(KafkaOptions.DLQ_TOPIC))
        .containsExactly(
            "Partition 0 of topic t (flinfer.dlq.topic) has 1 replicas in sync and needs 2; the"
                + " broker refuses records until more brokers are back");
  }

  @Test
  void warnsOfCountsThatCompactionRemoves() {
    topic.put("cleanup.policy", "compact,delete");
    assertThat(check(KafkaOptions.OUTPUT_TOPIC)).isEmpty();
    assertThat(check(KafkaOptions.METRICS_TOPIC))
        .containsExactly(
            "Topic t (flinfer.metrics.topic) is compacted: it keeps the last record of each subtask"
                + " only, and the counts in it do not add up. Set its cleanup.policy to delete");
  }

  @Test
  void warnsOfTimestampsThatCannotBeKept() {
    topic.put("message.timestamp.type", "CreateTime");
    topic.put("message.timestamp.before.max.ms", "3600000");
    assertThat(check(KafkaOptions.OUTPUT_TOPIC)).isEmpty();
    settings.put("flinfer.output.keep-timestamps", "true");
    assertThat(check(KafkaOptions.METRICS_TOPIC)).isEmpty();
    assertThat(check(KafkaOptions.OUTPUT_TOPIC))
        .containsExactly(
            "flinfer.output.keep-timestamps is true, and topic t (flinfer.output.topic) accepts"
                + " timestamps of the last 3600 s only: older ones are written in a header");
    topic.put("message.timestamp.type", "LogAppendTime");
    assertThat(check(KafkaOptions.DLQ_TOPIC))
        .containsExactly(
            "flinfer.output.keep-timestamps is true, and topic t (flinfer.dlq.topic) has"
                + " message.timestamp.type LogAppendTime: its records get the broker's time");
    topic.clear();
    topic.put("message.timestamp.before.max.ms", Long.toString(Long.MAX_VALUE));
    assertThat(check(KafkaOptions.OUTPUT_TOPIC)).isEmpty();
  }
}

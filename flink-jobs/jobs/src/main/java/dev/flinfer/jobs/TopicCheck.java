package dev.flinfer.jobs;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.flink.configuration.ConfigOption;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.record.TimestampType;

/** Checks a topic's configuration for what would make the broker refuse, or lose, output. */
final class TopicCheck {
  private final JobOptions options;
  private final List<String> warnings = new ArrayList<>();

  TopicCheck(JobOptions options) {
    this.options = options;
  }

  /** One sentence for each problem that does not keep the job from running. */
  List<String> warnings() {
    return warnings;
  }

  /**
   * @throws IllegalArgumentException if the broker would refuse every record
   */
  void output(ConfigOption<String> option, TopicDescription topic, Config config) {
    if (allReplicasConfirm()) {
      replicas(option, topic, config);
    }
    boolean metrics = option.equals(KafkaOptions.METRICS_TOPIC);
    if (metrics && has(config, TopicConfig.CLEANUP_POLICY_CONFIG, "compact")) {
      warnings.add(
          "Topic %s (%s) is compacted: it keeps the last record of each subtask only, and the counts"
                  .formatted(topic.name(), option.key())
              + " in it do not add up. Set its cleanup.policy to delete");
    }
    if (options.keepTimestamps() && !metrics) {
      timestamps(option, topic, config);
    }
  }

  private boolean allReplicasConfirm() {
    String acks = options.clientProperties().get(ProducerConfig.ACKS_CONFIG);
    return options.exactlyOnce() || acks == null || acks.equals("all") || acks.equals("-1");
  }

  private void replicas(ConfigOption<String> option, TopicDescription topic, Config config) {
    int needed =
        value(config, TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG).map(Integer::parseInt).orElse(1);
    for (TopicPartitionInfo partition : topic.partitions()) {
      int replicas = partition.replicas().size();
      if (replicas < needed) {
        throw new IllegalArgumentException(
            "Topic %s (%s) has %d replicas and min.insync.replicas %d; the broker refuses every record"
                    .formatted(topic.name(), option.key(), replicas, needed)
                + " of it. Lower min.insync.replicas, or add replicas");
      }
      if (partition.isr().size() < needed) {
        warnings.add(
            "Partition %d of topic %s (%s) has %d replicas in sync and needs %d; the broker refuses"
                    .formatted(
                        partition.partition(),
                        topic.name(),
                        option.key(),
                        partition.isr().size(),
                        needed)
                + " records until more brokers are back");
        return;
      }
    }
  }

  private void timestamps(ConfigOption<String> option, TopicDescription topic, Config config) {
    String kept = KafkaOptions.KEEP_TIMESTAMPS.key() + " is true, and topic %s (%s) ";
    if (has(
        config, TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG, TimestampType.LOG_APPEND_TIME.name)) {
      warnings.add(
          (kept + "has message.timestamp.type LogAppendTime: its records get the broker's time")
              .formatted(topic.name(), option.key()));
      return;
    }
    long before =
        value(config, TopicConfig.MESSAGE_TIMESTAMP_BEFORE_MAX_MS_CONFIG)
            .map(Long::parseLong)
            .orElse(Long.MAX_VALUE);
    if (before != Long.MAX_VALUE) {
      warnings.add(
          (kept + "accepts timestamps of the last %d s only: older ones are written in a header")
              .formatted(topic.name(), option.key(), Duration.ofMillis(before).toSeconds()));
    }
  }

  private static boolean has(Config config, String name, String value) {
    return value(config, name).filter(set -> set.contains(value)).isPresent();
  }

  private static Optional<String> value(Config config, String name) {
    return Optional.ofNullable(config.get(name)).map(ConfigEntry::value);
  }
}

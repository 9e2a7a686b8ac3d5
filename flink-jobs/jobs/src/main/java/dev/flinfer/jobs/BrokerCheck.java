package dev.flinfer.jobs;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.flink.configuration.ConfigOption;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks with the broker, before the job starts, for problems on which the job would otherwise fail
 * after every restart.
 */
final class BrokerCheck {
  private static final Logger LOG = LoggerFactory.getLogger(BrokerCheck.class);
  private static final String MAX_TRANSACTION_TIMEOUT = "transaction.max.timeout.ms";

  private final JobOptions options;
  private final Broker broker;

  private BrokerCheck(JobOptions options, Broker broker) {
    this.options = options;
    this.broker = broker;
  }

  /**
   * Returns one sentence for each problem that does not keep the job from running.
   *
   * @throws IllegalArgumentException if the broker does not answer, lacks a topic, allows only
   *     shorter transactions or would refuse all records of a topic
   */
  static List<String> run(JobOptions options) {
    try (Broker broker = Broker.connect(options)) {
      BrokerCheck check = new BrokerCheck(options, broker);
      List<String> warnings = check.outputs(check.topics());
      if (options.exactlyOnce()) {
        check.transactionTimeout();
      }
      return warnings;
    }
  }

  private Map<ConfigOption<String>, TopicDescription> topics() {
    Map<ConfigOption<String>, TopicDescription> found = new LinkedHashMap<>();
    Map<String, KafkaFuture<TopicDescription>> described =
        broker.admin().describeTopics(options.topics().values()).topicNameValues();
    List<String> missing = new ArrayList<>();
    for (ConfigOption<String> option : JobOptions.TOPICS) {
      String topic = options.topics().get(option);
      try {
        found.put(option, broker.await(described.get(topic)));
      } catch (UnknownTopicOrPartitionException e) {
        missing.add(
            "  %s (%s): kafka-topics.sh --bootstrap-server %s --create --topic %s --partitions 4"
                .formatted(topic, option.key(), options.bootstrapServers(), topic));
      } catch (ApiException e) {
        throw new IllegalArgumentException(
            "Topic %s (%s) cannot be used: %s".formatted(topic, option.key(), e.getMessage()), e);
      }
    }
    if (!missing.isEmpty()) {
      throw new IllegalArgumentException(
          "The job does not create topics, and these do not exist at %s. Create them:%n%s"
              .formatted(options.bootstrapServers(), String.join(System.lineSeparator(), missing)));
    }
    return found;
  }

  private List<String> outputs(Map<ConfigOption<String>, TopicDescription> topics) {
    TopicCheck check = new TopicCheck(options);
    topics.forEach(
        (option, topic) -> {
          if (!option.equals(KafkaOptions.INPUT_TOPIC)) {
            config(ConfigResource.Type.TOPIC, topic.name())
                .ifPresent(config -> check.output(option, topic, config));
          }
        });
    return check.warnings();
  }

  /** Returns the configuration, or nothing if the job has no right to read it. */
  private Optional<Config> config(ConfigResource.Type type, String name) {
    ConfigResource resource = new ConfigResource(type, name);
    try {
      return Optional.of(
          broker.await(broker.admin().describeConfigs(List.of(resource)).values().get(resource)));
    } catch (AuthorizationException e) {
      LOG.info("No permission to read the configuration of {}; it is not checked", resource);
      return Optional.empty();
    }
  }

  private void transactionTimeout() {
    String node = broker.await(broker.admin().describeCluster().controller()).idString();
    long limit =
        config(ConfigResource.Type.BROKER, node)
            .map(config -> config.get(MAX_TRANSACTION_TIMEOUT))
            .map(ConfigEntry::value)
            .map(Long::parseLong)
            .orElse(Long.MAX_VALUE);
    if (options.transactionTimeout().toMillis() > limit) {
      throw new IllegalArgumentException(
          "%s is %d s; the broker at %s allows at most %d s. Lower it, or raise the broker's %s"
              .formatted(
                  KafkaOptions.TRANSACTION_TIMEOUT.key(),
                  options.transactionTimeout().toSeconds(),
                  options.bootstrapServers(),
                  limit / 1000,
                  MAX_TRANSACTION_TIMEOUT));
    }
  }
}

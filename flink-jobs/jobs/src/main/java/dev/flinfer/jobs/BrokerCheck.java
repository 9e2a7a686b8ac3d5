package dev.flinfer.jobs;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.configuration.ConfigOption;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaException;
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
final class BrokerCheck implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(BrokerCheck.class);
  private static final Duration TIMEOUT = Duration.ofSeconds(10);
  private static final String MAX_TRANSACTION_TIMEOUT = "transaction.max.timeout.ms";

  private final JobOptions options;
  private final Admin admin;

  private BrokerCheck(JobOptions options, Admin admin) {
    this.options = options;
    this.admin = admin;
  }

  /**
   * Returns one sentence for each problem that does not keep the job from running.
   *
   * @throws IllegalArgumentException if the broker does not answer, lacks a topic, allows only
   *     shorter transactions or would refuse all records of a topic
   */
  static List<String> run(JobOptions options) {
    Properties properties = options.clientConfig();
    String timeout = Long.toString(TIMEOUT.toMillis());
    properties.putIfAbsent(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG, timeout);
    properties.putIfAbsent(AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG, timeout);
    try (BrokerCheck check = new BrokerCheck(options, Admin.create(properties))) {
      List<String> warnings = check.outputs(check.topics());
      if (options.exactlyOnce()) {
        check.transactionTimeout();
      }
      return warnings;
    } catch (KafkaException e) { // properties with which no client can be created
      throw new IllegalArgumentException(
          "No Kafka client can be created for %s with %s: %s"
              .formatted(
                  options.bootstrapServers(),
                  KafkaOptions.PROPERTIES.key(),
                  e.getCause() == null ? e.getMessage() : e.getCause().getMessage()),
          e);
    }
  }

  private Map<ConfigOption<String>, TopicDescription> topics() {
    Map<ConfigOption<String>, TopicDescription> found = new LinkedHashMap<>();
    Map<String, KafkaFuture<TopicDescription>> described =
        admin.describeTopics(options.topics().values()).topicNameValues();
    List<String> missing = new ArrayList<>();
    for (ConfigOption<String> option : JobOptions.TOPICS) {
      String topic = options.topics().get(option);
      try {
        found.put(option, await(described.get(topic)));
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
      return Optional.of(await(admin.describeConfigs(List.of(resource)).values().get(resource)));
    } catch (AuthorizationException e) {
      LOG.info("No permission to read the configuration of {}; it is not checked", resource);
      return Optional.empty();
    }
  }

  private void transactionTimeout() {
    String node = await(admin.describeCluster().controller()).idString();
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

  private <T> T await(KafkaFuture<T> future) {
    try {
      return future.get(TIMEOUT.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw unreachable(e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof org.apache.kafka.common.errors.TimeoutException) {
        throw unreachable(e.getCause());
      }
      if (e.getCause() instanceof ApiException) {
        throw (ApiException) e.getCause();
      }
      throw new IllegalArgumentException(
          "The Kafka broker at %s does not answer: %s"
              .formatted(options.bootstrapServers(), e.getCause().getMessage()),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while waiting for the broker", e);
    }
  }

  private IllegalArgumentException unreachable(Throwable cause) {
    return new IllegalArgumentException(
        "No Kafka broker answers at %s within %d s. Start it, or correct %s"
            .formatted(
                options.bootstrapServers(),
                TIMEOUT.toSeconds(),
                KafkaOptions.BOOTSTRAP_SERVERS.key()),
        cause);
  }

  @Override
  public void close() {
    admin.close(Duration.ZERO); // otherwise it waits for a broker that does not answer
  }
}

package dev.flinfer.cli.kafka;

import dev.flinfer.cli.UsageError;
import dev.flinfer.cli.UserError;
import java.io.IOException;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/**
 * Finds out within seconds whether the broker or the topic is missing, and which of them: consumers
 * and producers report both as the same time-out, after a minute by default.
 */
final class TopicLookup {
  private static final int TIMEOUT_MS = 5_000;

  private TopicLookup() {}

  /**
   * @throws UserError if no broker answers or the topic does not exist
   */
  static void require(KafkaArguments kafka, String topic) throws IOException {
    Properties properties = kafka.properties(TIMEOUT_MS);
    // Kafka requires that it is at most the former.
    properties.putIfAbsent(
        AdminClientConfig.REQUEST_TIMEOUT_MS_CONFIG,
        properties.getProperty(AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG));
    try (Admin admin = Admin.create(properties)) {
      require(admin, kafka, topic);
    } catch (KafkaException e) {
      throw e.getCause() instanceof ConfigException wrong ? refused(kafka, wrong) : e;
    }
  }

  /** The client was not created: for its configuration, or since no server's name is known. */
  private static UserError refused(KafkaArguments kafka, ConfigException wrong) {
    String message =
        "--bootstrap-servers is %s: %s".formatted(kafka.bootstrapServers(), wrong.getMessage());
    return wrong.getMessage().startsWith("No resolvable")
        ? new UserError(message, wrong)
        : new UsageError(message);
  }

  private static void require(Admin admin, KafkaArguments kafka, String topic) {
    try {
      admin.describeTopics(List.of(topic)).allTopicNames().get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UserError("interrupted", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof TimeoutException) {
        throw kafka.unreachable(e);
      }
      if (e.getCause() instanceof UnknownTopicOrPartitionException) {
        throw new UserError(
            "topic %s does not exist; the broker has %s. Create it with `kafka-topics.sh --create --bootstrap-server %s --topic %s`, or name another with --topic"
                .formatted(topic, names(admin), kafka.bootstrapServers(), topic),
            e);
      }
      throw e.getCause() instanceof KafkaException known ? known : new KafkaException(e);
    }
  }

  /** The topics' names, without internal ones; the message must not fail for their sake. */
  private static String names(Admin admin) {
    try {
      Set<String> names = new TreeSet<>(admin.listTopics().names().get());
      return names.isEmpty() ? "none" : String.join(", ", names);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "unknown topics";
    } catch (ExecutionException e) {
      return "unknown topics";
    }
  }
}

package dev.flinfer.cli.state;

import dev.flinfer.cli.UserError;
import dev.flinfer.jobs.KafkaOptions;
import java.nio.file.Path;
import java.util.Properties;
import org.apache.flink.configuration.Configuration;

/**
 * What must not change between the runs of one state directory, since the offsets and requests in a
 * checkpoint have no meaning elsewhere.
 *
 * @param cluster id of the Kafka cluster
 */
record JobIdentity(String cluster, String inputTopic, String group, boolean bounded) {

  static JobIdentity of(Configuration config, String cluster) {
    return new JobIdentity(
        cluster,
        config.get(KafkaOptions.INPUT_TOPIC),
        config.get(KafkaOptions.GROUP_ID),
        config.get(KafkaOptions.BOUNDED));
  }

  static JobIdentity from(Properties properties) {
    return new JobIdentity(
        properties.getProperty("kafka.cluster"),
        properties.getProperty(KafkaOptions.INPUT_TOPIC.key()),
        properties.getProperty(KafkaOptions.GROUP_ID.key()),
        Boolean.parseBoolean(properties.getProperty(KafkaOptions.BOUNDED.key())));
  }

  void writeTo(Properties properties) {
    properties.setProperty("kafka.cluster", cluster);
    properties.setProperty(KafkaOptions.INPUT_TOPIC.key(), inputTopic);
    properties.setProperty(KafkaOptions.GROUP_ID.key(), group);
    properties.setProperty(KafkaOptions.BOUNDED.key(), Boolean.toString(bounded));
  }

  /**
   * Fails unless a job with this identity may continue from the state of the other.
   *
   * @param directory of the state, for the error
   */
  void requireSameAs(JobIdentity saved, Path directory) {
    require(directory, "Kafka cluster", saved.cluster, cluster);
    require(directory, KafkaOptions.INPUT_TOPIC.key(), saved.inputTopic, inputTopic);
    require(directory, KafkaOptions.GROUP_ID.key(), saved.group, group);
    require(
        directory,
        KafkaOptions.BOUNDED.key(),
        Boolean.toString(saved.bounded),
        Boolean.toString(bounded));
  }

  private static void require(Path directory, String what, String saved, String now) {
    if (!now.equals(saved)) {
      throw new UserError(
          "the state in %s is that of a run with %s %s, and this run has %s; use the same value, or"
                  .formatted(directory, what, saved, now)
              + " another --state directory");
    }
  }
}

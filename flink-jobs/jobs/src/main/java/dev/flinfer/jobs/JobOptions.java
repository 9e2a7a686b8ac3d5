package dev.flinfer.jobs;

import dev.flinfer.jobs.KafkaOptions.StartingOffsets;
import dev.flinfer.jobs.failure.KafkaFailures;
import dev.flinfer.schema.WireFormat;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeSet;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.connector.base.DeliveryGuarantee;

/** The values of {@link KafkaOptions}, checked. */
record JobOptions(
    String bootstrapServers,
    String groupId,
    String inputTopic,
    String outputTopic,
    String dlqTopic,
    String metricsTopic,
    WireFormat outputFormat,
    boolean keepTimestamps,
    boolean bounded,
    StartingOffsets startingOffsets,
    DeliveryGuarantee deliveryGuarantee,
    String transactionalIdPrefix,
    Duration transactionTimeout,
    boolean acceptLostTransactions,
    Map<String, String> clientProperties) {

  static final List<ConfigOption<String>> TOPICS =
      List.of(
          KafkaOptions.INPUT_TOPIC,
          KafkaOptions.OUTPUT_TOPIC,
          KafkaOptions.DLQ_TOPIC,
          KafkaOptions.METRICS_TOPIC);

  private static final Set<String> OWN_PROPERTIES =
      Set.of(
          "bootstrap.servers",
          "group.id",
          "auto.offset.reset",
          "enable.auto.commit",
          "isolation.level",
          "transactional.id",
          "transaction.timeout.ms",
          "key.deserializer",
          "value.deserializer",
          "key.serializer",
          "value.serializer");

  /**
   * @throws IllegalArgumentException if an option is missing or cannot be read, or if options
   *     contradict each other
   */
  static JobOptions from(ReadableConfig config) {
    JobOptions options =
        new JobOptions(
            read(config, KafkaOptions.BOOTSTRAP_SERVERS),
            read(config, KafkaOptions.GROUP_ID),
            read(config, KafkaOptions.INPUT_TOPIC),
            read(config, KafkaOptions.OUTPUT_TOPIC),
            read(config, KafkaOptions.DLQ_TOPIC),
            read(config, KafkaOptions.METRICS_TOPIC),
            read(config, KafkaOptions.OUTPUT_FORMAT),
            read(config, KafkaOptions.KEEP_TIMESTAMPS),
            read(config, KafkaOptions.BOUNDED),
            read(config, KafkaOptions.STARTING_OFFSETS),
            read(config, KafkaOptions.DELIVERY_GUARANTEE),
            transactionalIdPrefix(config),
            read(config, KafkaOptions.TRANSACTION_TIMEOUT),
            read(config, KafkaOptions.ACCEPT_LOST_TRANSACTIONS),
            Map.copyOf(read(config, KafkaOptions.PROPERTIES)));
    options.check();
    return options;
  }

  /**
   * Two jobs with equal names would read the same records for the same group and write to one topic
   * what the other one writes. A topic's name has no slash, so different names give different
   * prefixes.
   */
  private static String transactionalIdPrefix(ReadableConfig config) {
    return config.getOptional(KafkaOptions.TRANSACTIONAL_ID_PREFIX).isPresent()
        ? read(config, KafkaOptions.TRANSACTIONAL_ID_PREFIX)
        : "flinfer-%s/%s/%s"
            .formatted(
                read(config, KafkaOptions.GROUP_ID),
                read(config, KafkaOptions.INPUT_TOPIC),
                read(config, KafkaOptions.OUTPUT_TOPIC));
  }

  private static <T> T read(ReadableConfig config, ConfigOption<T> option) {
    T value;
    try {
      value = config.get(option);
    } catch (IllegalArgumentException e) {
      // Flink's message names key and value; what is allowed instead is in its cause.
      throw new IllegalArgumentException(
          e.getCause() == null ? e.getMessage() : e.getMessage() + " " + e.getCause().getMessage(),
          e);
    }
    if (value == null || value instanceof String text && text.isBlank()) {
      throw new IllegalArgumentException(
          "%s is %s. %s"
              .formatted(
                  option.key(),
                  value == null ? "not set" : "empty",
                  OptionsReference.description(option)));
    }
    return value;
  }

  private void check() {
    Map<ConfigOption<String>, String> topics = topics();
    for (int i = 0; i < TOPICS.size(); i++) {
      for (int j = i + 1; j < TOPICS.size(); j++) {
        if (topics.get(TOPICS.get(i)).equals(topics.get(TOPICS.get(j)))) {
          throw new IllegalArgumentException(
              "%s and %s are both %s; each needs a topic of its own"
                  .formatted(TOPICS.get(i).key(), TOPICS.get(j).key(), topics.get(TOPICS.get(i))));
        }
      }
    }
    if (bounded && startingOffsets == StartingOffsets.LATEST) {
      throw new IllegalArgumentException(
          "%s is true and %s is latest; such a job has nothing to read. Start it at earliest or"
                  .formatted(KafkaOptions.BOUNDED.key(), KafkaOptions.STARTING_OFFSETS.key())
              + " committed-or-earliest");
    }
    if (deliveryGuarantee == DeliveryGuarantee.NONE) {
      throw new IllegalArgumentException(
          "%s is none; it must be exactly-once or at-least-once, a job that may lose output is not"
                  .formatted(KafkaOptions.DELIVERY_GUARANTEE.key())
              + " offered");
    }
    Set<String> own = new TreeSet<>(clientProperties.keySet());
    own.retainAll(OWN_PROPERTIES);
    if (!own.isEmpty()) {
      throw new IllegalArgumentException(
          "%s sets %s, which the job sets itself from its other options; leave it out"
              .formatted(KafkaOptions.PROPERTIES.key(), String.join(", ", own)));
    }
  }

  /** The topics by the option that names each. */
  Map<ConfigOption<String>, String> topics() {
    return Map.of(
        KafkaOptions.INPUT_TOPIC, inputTopic,
        KafkaOptions.OUTPUT_TOPIC, outputTopic,
        KafkaOptions.DLQ_TOPIC, dlqTopic,
        KafkaOptions.METRICS_TOPIC, metricsTopic);
  }

  boolean exactlyOnce() {
    return deliveryGuarantee == DeliveryGuarantee.EXACTLY_ONCE;
  }

  /** Explains failures of Kafka with the names of this job. */
  KafkaFailures failures() {
    return new KafkaFailures(bootstrapServers, groupId, transactionalIdPrefix);
  }

  /** What all Kafka clients of the job are made with. */
  Properties clientConfig() {
    Properties properties = new Properties();
    properties.putAll(clientProperties);
    properties.setProperty("bootstrap.servers", bootstrapServers);
    return properties;
  }
}

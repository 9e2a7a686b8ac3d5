package dev.flinfer.jobs;

import dev.flinfer.flink.EngineSupplier;
import dev.flinfer.flink.FlinferOptions;
import dev.flinfer.flink.Inference;
import dev.flinfer.jobs.sink.CheckedSink;
import dev.flinfer.jobs.sink.CompletionSerializer;
import dev.flinfer.jobs.sink.DeadLetterSerializer;
import dev.flinfer.jobs.sink.RecordLimit;
import dev.flinfer.jobs.sink.ThroughputSerializer;
import dev.flinfer.jobs.source.PromptSource;
import dev.flinfer.jobs.source.SourceRecordDeserializer;
import dev.flinfer.schema.SourceRecord;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.KafkaSinkBuilder;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.KafkaSourceBuilder;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.OffsetResetStrategy;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The main job: reads prompts from a Kafka topic and writes completions, rejected records and
 * throughput, each to its own topic.
 *
 * <pre>{@code
 * StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(config);
 * CompletionJob.build(env, config);
 * env.execute();
 * }</pre>
 */
public final class CompletionJob {
  private static final Logger LOG = LoggerFactory.getLogger(CompletionJob.class);
  private static final Duration CHECKPOINT_INTERVAL = Duration.ofSeconds(10);

  /**
   * Restarts without a limit, 1 s after the first failure, later after up to a minute: Flink's
   * default, set explicitly.
   */
  private static final String RESTART_STRATEGY = "exponential-delay";

  /** The producer's default buffer size, so that only the topic limits the size of a record. */
  private static final String MAX_REQUEST_SIZE = "33554432";

  /**
   * Kafka's default of 16 KiB is full after some tens of completions, and each full batch wakes the
   * sender.
   */
  private static final String BATCH_SIZE = "131072";

  /**
   * Records of a transaction become visible when it commits, and the commit sends all of them;
   * until then they can wait.
   */
  private static final String LINGER_MS = "100";

  private static final String NAME = "flinfer";

  private CompletionJob() {}

  /**
   * Runs the job on the cluster that Flink's client is configured for, such as {@code flink run -c
   * dev.flinfer.jobs.CompletionJob flinfer-jobs.jar --flinfer.model /models/phi-2
   * --flinfer.kafka.bootstrap-servers kafka:9092}.
   *
   * @param args options as {@code --key value} or {@code -Dkey=value}, and files of options as
   *     {@code --config file} with one {@code key: value} per line; later arguments override
   *     earlier ones
   */
  public static void main(String[] args) throws Exception {
    Configuration config = JobArguments.parse(args);
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
    build(env, config);
    env.execute();
  }

  /**
   * Adds the job to an environment. Checks the topics with the broker, which takes at most some
   * seconds.
   *
   * @param config options of {@link KafkaOptions} and {@link dev.flinfer.flink.FlinferOptions}, and
   *     Flink's own. If Flink's {@code execution.checkpointing.interval} is not set, the job uses
   *     10 s; if {@code restart-strategy.type} is not set, {@code exponential-delay}
   * @throws IllegalArgumentException if an option is missing, unknown or wrong, if options
   *     contradict each other, if no broker answers or a topic is missing; the message says how to
   *     fix it
   */
  public static void build(StreamExecutionEnvironment env, ReadableConfig config) {
    build(env, config, EngineSupplier.shared());
  }

  /** Like {@link #build(StreamExecutionEnvironment, ReadableConfig)}, with the given engines. */
  public static void build(
      StreamExecutionEnvironment env, ReadableConfig config, EngineSupplier engines) {
    OptionsReference.checkKeys(config);
    JobOptions options = JobOptions.from(config);
    configure(env, config);
    Guarantees guarantees =
        new Guarantees(options, env.getConfiguration(), env.getCheckpointConfig());
    guarantees.check();
    guarantees.warnings().forEach(LOG::warn);
    BrokerCheck.run(options).forEach(LOG::warn);
    RecordLimit.of(options.outputTopic(), producerConfig(options));
    RecordLimit.of(options.dlqTopic(), producerConfig(options));
    add(env, config, options, engines);
  }

  /** Adds the job without checking the options against each other and the broker. */
  static void add(
      StreamExecutionEnvironment env,
      ReadableConfig config,
      JobOptions options,
      EngineSupplier engines) {
    // Nothing reads event time; the records keep Kafka's timestamps even without watermarks.
    DataStream<SourceRecord> prompts =
        env.fromSource(source(options), WatermarkStrategy.noWatermarks(), "prompts")
            .uid("flinfer-prompts");
    Inference inference = Inference.of(prompts, config, engines);
    Properties producer = producerConfig(options);
    sink(
        inference.completions(),
        "completions",
        new CompletionSerializer(
            options.outputTopic(), options.outputFormat(), options.keepTimestamps(), producer),
        options);
    sink(
        inference.rejections(),
        "rejections",
        new DeadLetterSerializer(options.dlqTopic(), options.keepTimestamps(), producer),
        options);
    sink(
        inference.throughput(),
        "throughput",
        new ThroughputSerializer(options.metricsTopic(), options.outputFormat()),
        options);
  }

  private static void configure(StreamExecutionEnvironment env, ReadableConfig config) {
    Guarantees.requireCheckpoints(config);
    Map<String, String> flinks = new HashMap<>(config.toMap());
    flinks
        .keySet()
        .removeIf(key -> key.startsWith("flinfer.")); // keeps Kafka passwords out of Flink's
    Configuration flink = Configuration.fromMap(flinks);
    flink.set(PipelineOptions.GENERIC_TYPES, false); // a type without a serializer is a bug here
    if (isUnset(env, flink, PipelineOptions.OBJECT_REUSE)) {
      flink.set(PipelineOptions.OBJECT_REUSE, true); // the operator copies what it keeps
    }
    if (isUnset(env, flink, PipelineOptions.NAME)) {
      flink.set(PipelineOptions.NAME, NAME);
    }
    if (isUnset(env, flink, RestartStrategyOptions.RESTART_STRATEGY)) {
      flink.set(RestartStrategyOptions.RESTART_STRATEGY, RESTART_STRATEGY);
    }
    if (!config.get(FlinferOptions.DEDUPLICATE_TTL).isZero()) {
      unalign(env, flink);
    }
    env.configure(flink);
    if (!env.getCheckpointConfig().isCheckpointingEnabled()) {
      LOG.info(
          "{} is not set; the job uses {}",
          CheckpointingOptions.CHECKPOINTING_INTERVAL.key(),
          CHECKPOINT_INTERVAL);
      env.enableCheckpointing(CHECKPOINT_INTERVAL.toMillis());
    }
  }

  /**
   * After a shuffle, an aligned checkpoint waits until all requests buffered there are answered.
   */
  private static void unalign(StreamExecutionEnvironment env, Configuration flink) {
    ConfigOption<Boolean> unaligned = CheckpointingOptions.ENABLE_UNALIGNED;
    if (isUnset(env, flink, unaligned)) {
      flink.set(unaligned, true);
    } else if (!flink
        .getOptional(unaligned)
        .orElseGet(() -> env.getConfiguration().get(unaligned))) {
      throw new IllegalArgumentException(
          "%s is set and %s is false; deduplication shuffles the records by id, and after a"
                  .formatted(FlinferOptions.DEDUPLICATE_TTL.key(), unaligned.key())
              + " shuffle an aligned checkpoint waits until all requests buffered there are"
              + " answered. Remove one of the two settings");
    }
  }

  private static boolean isUnset(
      StreamExecutionEnvironment env, ReadableConfig config, ConfigOption<?> option) {
    return config.getOptional(option).isEmpty()
        && env.getConfiguration().getOptional(option).isEmpty();
  }

  private static PromptSource source(JobOptions options) {
    KafkaSourceBuilder<SourceRecord> builder =
        KafkaSource.<SourceRecord>builder()
            .setProperties(options.clientConfig())
            .setProperty(ConsumerConfig.ISOLATION_LEVEL_CONFIG, "read_committed")
            .setGroupId(options.groupId())
            .setTopics(options.inputTopic())
            .setStartingOffsets(startingOffsets(options.startingOffsets()))
            .setDeserializer(new SourceRecordDeserializer());
    if (options.bounded()) {
      builder.setBounded(OffsetsInitializer.latest());
    }
    return new PromptSource(builder.build(), options.clientConfig(), options.failures());
  }

  @SuppressWarnings("deprecation") // the connector accepts nothing newer
  private static OffsetsInitializer startingOffsets(KafkaOptions.StartingOffsets start) {
    switch (start) {
      case EARLIEST:
        return OffsetsInitializer.earliest();
      case LATEST:
        return OffsetsInitializer.latest();
      default:
        return OffsetsInitializer.committedOffsets(OffsetResetStrategy.EARLIEST);
    }
  }

  private static Properties producerConfig(JobOptions options) {
    Properties properties = options.clientConfig();
    properties.putIfAbsent(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, MAX_REQUEST_SIZE);
    properties.putIfAbsent(ProducerConfig.BATCH_SIZE_CONFIG, BATCH_SIZE);
    if (options.exactlyOnce()) {
      properties.putIfAbsent(ProducerConfig.LINGER_MS_CONFIG, LINGER_MS);
    }
    return properties;
  }

  private static <T> void sink(
      DataStream<T> stream,
      String name,
      KafkaRecordSerializationSchema<T> serializer,
      JobOptions options) {
    KafkaSinkBuilder<T> builder =
        KafkaSink.<T>builder()
            .setKafkaProducerConfig(producerConfig(options))
            .setBootstrapServers(options.bootstrapServers())
            .setDeliveryGuarantee(options.deliveryGuarantee())
            .setRecordSerializer(serializer);
    if (options.exactlyOnce()) {
      // The connector's default is an hour, more than a broker allows by default.
      builder
          .setTransactionalIdPrefix(options.transactionalIdPrefix() + "-" + name)
          .setProperty(
              ProducerConfig.TRANSACTION_TIMEOUT_CONFIG,
              Long.toString(options.transactionTimeout().toMillis()));
    }
    KafkaSink<T> kafka = builder.build();
    Sink<T> sink =
        options.exactlyOnce() && !options.acceptLostTransactions()
            ? CheckedSink.failingOnLoss(
                kafka,
                options.clientConfig(),
                KafkaOptions.TRANSACTION_TIMEOUT.key(),
                KafkaOptions.ACCEPT_LOST_TRANSACTIONS.key(),
                options.failures())
            : CheckedSink.of(kafka, options.failures());
    stream.sinkTo(sink).name(name).uid("flinfer-" + name);
  }
}

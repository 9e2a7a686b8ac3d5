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
 * The main job: prompts from a Kafka topic in; completions, rejected records and throughput out, a
 * topic each.
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

  /** Forever, 1 s after the first failure, then up to a minute: Flink's default, said aloud. */
  private static final String RESTART_STRATEGY = "exponential-delay";

  /** A producer's buffer by default: how large a record may be is for the topic to say. */
  private static final String MAX_REQUEST_SIZE = "33554432";

  /** Kafka's 16 KiB are full after some tens of completions, and the sender is woken for each. */
  private static final String BATCH_SIZE = "131072";

  /** What is in a transaction is seen at its end, and that sends all: until then it may wait. */
  private static final String LINGER_MS = "100";

  private static final String NAME = "flinfer";

  private CompletionJob() {}

  /**
   * Runs the job where Flink's client says, such as {@code flink run -c
   * dev.flinfer.jobs.CompletionJob flinfer-jobs.jar --flinfer.model /models/phi-2
   * --flinfer.kafka.bootstrap-servers kafka:9092}.
   *
   * @param args options as {@code --key value} or {@code -Dkey=value}, and files of them as {@code
   *     --config file} with a line {@code key: value} each; what comes later wins
   */
  public static void main(String[] args) throws Exception {
    Configuration config = JobArguments.parse(args);
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
    build(env, config);
    env.execute();
  }

  /**
   * Adds the job to an environment. Asks the broker for the topics, which takes at most some
   * seconds.
   *
   * @param config options of {@link KafkaOptions} and {@link dev.flinfer.flink.FlinferOptions}, and
   *     Flink's own. Where Flink's {@code execution.checkpointing.interval} is not set the job
   *     takes 10 s, and where {@code restart-strategy.type} is not, {@code exponential-delay}
   * @throws IllegalArgumentException if an option is missing, unknown or wrong, if options
   *     contradict each other, if no broker answers or a topic is missing; the message says how to
   *     mend it
   */
  public static void build(StreamExecutionEnvironment env, ReadableConfig config) {
    build(env, config, EngineSupplier.shared());
  }

  /** As above, with engines of the caller's choice. */
  public static void build(
      StreamExecutionEnvironment env, ReadableConfig config, EngineSupplier engines) {
    OptionsReference.checkKeys(config);
    JobOptions options = JobOptions.from(config);
    configure(env, config);
    Guarantees guarantees =
        new Guarantees(options, env.getConfiguration(), env.getCheckpointConfig());
    guarantees.check();
    guarantees.warnings().forEach(LOG::warn);
    BrokerCheck.run(options);
    RecordLimit.of(options.outputTopic(), producerConfig(options));
    RecordLimit.of(options.dlqTopic(), producerConfig(options));
    add(env, config, options, engines);
  }

  /** As above, without asking whether the options fit each other and the broker. */
  static void add(
      StreamExecutionEnvironment env,
      ReadableConfig config,
      JobOptions options,
      EngineSupplier engines) {
    // Nothing reads event time; without watermarks the records keep Kafka's timestamps all the
    // same.
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
    flinks.keySet().removeIf(key -> key.startsWith("flinfer.")); // no Kafka passwords in Flink's
    Configuration flink = Configuration.fromMap(flinks);
    flink.set(PipelineOptions.GENERIC_TYPES, false); // a type without a serializer is our mistake
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
          "{} is not set, the job takes {}",
          CheckpointingOptions.CHECKPOINTING_INTERVAL.key(),
          CHECKPOINT_INTERVAL);
      env.enableCheckpointing(CHECKPOINT_INTERVAL.toMillis());
    }
  }

  /** Behind a shuffle an aligned checkpoint waits until all that is buffered there is answered. */
  private static void unalign(StreamExecutionEnvironment env, Configuration flink) {
    ConfigOption<Boolean> unaligned = CheckpointingOptions.ENABLE_UNALIGNED;
    if (isUnset(env, flink, unaligned)) {
      flink.set(unaligned, true);
    } else if (!flink
        .getOptional(unaligned)
        .orElseGet(() -> env.getConfiguration().get(unaligned))) {
      throw new IllegalArgumentException(
          "%s is set and %s is false; deduplication shuffles the records by their ids, and behind a"
                  .formatted(FlinferOptions.DEDUPLICATE_TTL.key(), unaligned.key())
              + " shuffle an aligned checkpoint waits until all requests that are buffered there are"
              + " answered. Leave one of them out");
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
    return new PromptSource(builder.build(), options.clientConfig(), options.groupId());
  }

  @SuppressWarnings("deprecation") // the connector takes nothing newer
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
      // The connector asks for an hour, more than a broker allows by default.
      builder
          .setTransactionalIdPrefix(options.transactionalIdPrefix() + "-" + name)
          .setProperty(
              ProducerConfig.TRANSACTION_TIMEOUT_CONFIG,
              Long.toString(options.transactionTimeout().toMillis()));
    }
    KafkaSink<T> kafka = builder.build();
    Sink<T> sink =
        options.exactlyOnce() && !options.acceptLostTransactions()
            ? new CheckedSink<>(
                kafka,
                options.clientConfig(),
                KafkaOptions.TRANSACTION_TIMEOUT.key(),
                KafkaOptions.ACCEPT_LOST_TRANSACTIONS.key())
            : kafka;
    stream.sinkTo(sink).name(name).uid("flinfer-" + name);
  }
}

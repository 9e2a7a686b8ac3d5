package dev.flinfer.jobs;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.flink.EngineSupplier;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.FinishReason;
import dev.flinfer.schema.WireFormat;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamGraph;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;

/** The contract with a fake engine, and tests that need a fake engine. */
final class CompletionJobIT extends CompletionJobContract {
  /** Two hours ago: the topics keep it, until they accept the last hour only. */
  private static final long OLD = System.currentTimeMillis() - 7_200_000;

  private static final AtomicInteger OPENED = new AtomicInteger();

  @Override
  String model() {
    return "fake";
  }

  @Override
  EngineSupplier engines() {
    return options -> new FakeEngine();
  }

  /** One engine per subtask: the second subtask's never fails, nor do those after the restart. */
  private static EngineSupplier firstFails() {
    return options -> new FakeEngine(OPENED.getAndIncrement() == 0 ? 40 : 0);
  }

  @Test
  void aFailureHalfwayNeitherLosesNorRepeatsARecord() throws Exception {
    TestTopics topics = TestTopics.create(kafka, "failure");
    topics.send(prompts(topics, 200));
    OPENED.set(0);
    runToEnd(topics.config(model()), firstFails());

    // Flink restarts only the failed subtask, because nothing is shuffled between subtasks.
    assertThat(OPENED).as("engines opened").hasValue(TestTopics.PARTITIONS + 1);
    Map<String, Completion> completions = completions(topics, WireFormat.JSON);
    assertThat(completions).hasSize(200);
    completions.forEach(
        (id, completion) ->
            assertThat(completion.getText())
                .isEqualTo(new StringBuilder(id.replace("r", "prompt ")).reverse().toString()));
    assertThat(topics.read(topics.dlq)).isEmpty();
  }

  private static void createTopic(String name, int maxMessageBytes) throws Exception {
    NewTopic topic = new NewTopic(name, TestTopics.PARTITIONS, (short) 1);
    topic.configs(Map.of("max.message.bytes", Integer.toString(maxMessageBytes)));
    try (Admin admin = kafka.admin()) {
      admin.createTopics(List.of(topic)).all().get(30, TimeUnit.SECONDS);
    }
  }

  @Test
  void aTopicLimitsTheSizeOfItsRecords() throws Exception {
    createTopic("large-prompts", 4 << 20);
    createTopic("large-dlq", 4 << 20);
    TestTopics topics = TestTopics.create(kafka, "large");
    byte[] value = new byte[2 << 20]; // twice a producer's default limit, and not JSON
    topics.send(List.of(TestTopics.record(topics.input, "key", value)));
    runToEnd(topics.config(model()), engines());
    assertThat(topics.read(topics.dlq))
        .singleElement()
        .satisfies(r -> assertThat(r.value()).isEqualTo(value));
  }

  @Test
  void aCompletionThatIsTooLargeForItsTopicEndsAsErrorAndTheJobContinues() throws Exception {
    createTopic("small-completions", 20_000);
    TestTopics topics = TestTopics.create(kafka, "small");
    String json = "{\"id\": \"%s\", \"prompt\": \"x\", \"metadata\": {\"a\": \"%s\"}}";
    String large = "y".repeat(30_000); // the completion has it, too
    topics.send(
        List.of(
            TestTopics.record(topics.input, "a", json.formatted("a", large).getBytes(UTF_8)),
            TestTopics.record(topics.input, "b", json.formatted("b", "y").getBytes(UTF_8))));
    runToEnd(topics.config(model()), engines());

    Map<String, Completion> completions = completions(topics, WireFormat.JSON);
    assertThat(completions.get("a").getFinishReason()).isEqualTo(FinishReason.ERROR);
    assertThat(completions.get("b").getText()).isEqualTo("x");
    assertThat(topics.read(topics.output))
        .filteredOn(record -> TestTopics.text(record.key()).equals("a"))
        .singleElement()
        .satisfies(
            record ->
                assertThat(TestTopics.header(record, "flinfer.error"))
                    .contains("topic small-completions takes at most 20000"));
  }

  /**
   * Topics that are compacted from now on refuse records without a key. The job fails once, reads
   * what they accept, and writes the same outcomes with a key.
   */
  @Test
  void topicsThatBecomeStricterWhileTheJobRunsFailItOnce() throws Exception {
    TestTopics topics = TestTopics.create(kafka, "strict");
    Configuration config = topics.config(model());
    config.setString("flinfer.bounded", "false");
    config.setString("flinfer.output.keep-timestamps", "true");
    JobClient job = submit(config, engines());
    sendWithoutKey(topics, "a");
    awaitOutcomes(topics, 1);
    assertThat(topics.read(topics.output)).allMatch(r -> r.key() == null && r.timestamp() == OLD);

    try (Admin admin = kafka.admin()) {
      Map<ConfigResource, Collection<AlterConfigOp>> strict = new HashMap<>();
      for (String topic : List.of(topics.output, topics.dlq)) {
        strict.put(
            new ConfigResource(ConfigResource.Type.TOPIC, topic),
            List.of(
                set("cleanup.policy", "compact"),
                set("message.timestamp.before.max.ms", "3600000")));
      }
      admin.incrementalAlterConfigs(strict).all().get(30, TimeUnit.SECONDS);
    }
    sendWithoutKey(topics, "b");
    awaitOutcomes(topics, 2);
    assertThat(topics.read(topics.output))
        .filteredOn(r -> "b".equals(TestTopics.text(r.key())))
        .singleElement()
        .satisfies(r -> assertThat(TestTopics.header(r, "flinfer.timestamp")).isEqualTo("" + OLD));
    assertThat(topics.read(topics.dlq))
        .filteredOn(r -> r.key() != null)
        .singleElement()
        .satisfies(r -> assertThat(TestTopics.text(r.key())).startsWith(topics.input + "-0-"));
    job.cancel().get(60, TimeUnit.SECONDS);
  }

  private static AlterConfigOp set(String name, String value) {
    return new AlterConfigOp(new ConfigEntry(name, value), AlterConfigOp.OpType.SET);
  }

  /** Sends a request and a record that is none, both without key and with an old timestamp. */
  private static void sendWithoutKey(TestTopics topics, String id) throws Exception {
    List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
    for (String value : List.of("{\"id\": \"%s\", \"prompt\": \"x\"}".formatted(id), "{")) {
      records.add(new ProducerRecord<>(topics.input, 0, OLD, null, value.getBytes(UTF_8)));
    }
    topics.send(records);
  }

  private static void awaitOutcomes(TestTopics topics, int count) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (topics.read(topics.output).size() < count || topics.read(topics.dlq).size() < count) {
      assertThat(System.nanoTime()).as("%d outcomes in time", count).isLessThan(deadline);
    }
  }

  @Test
  void aTopicWithATinyLimitIsRefusedAtStart() throws Exception {
    createTopic("tiny-dlq", 500);
    Configuration config = TestTopics.create(kafka, "tiny").config(model());
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(config);
    assertThatThrownBy(() -> CompletionJob.build(env, config, engines()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("max.message.bytes of topic tiny-dlq is 500; it must be at least");
  }

  @Test
  void aRequestThatIsThereTwiceIsAnsweredOnceWithDeduplication() throws Exception {
    TestTopics topics = TestTopics.create(kafka, "twice");
    topics.send(prompts(topics, 50));
    topics.send(prompts(topics, 50));
    Configuration config = topics.config(model());
    config.setString("flinfer.deduplicate.ttl", "1 h");
    OPENED.set(0);
    runToEnd(config, options -> new FakeEngine(OPENED.getAndIncrement() == 0 ? 10 : 0));
    assertThat(OPENED).as("engines opened").hasValueGreaterThan(TestTopics.PARTITIONS);
    assertThat(completions(topics, WireFormat.JSON)).hasSize(50); // which checks for duplicates
  }

  @Test
  void deduplicationNeedsUnalignedCheckpoints() {
    TestTopics topics = TestTopics.create(kafka, "unaligned");
    Configuration config = topics.config(model());
    config.setString("flinfer.deduplicate.ttl", "1 h");
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.getExecutionEnvironment(new Configuration());
    CompletionJob.build(env, config, engines());
    assertThat(env.getCheckpointConfig().isUnalignedCheckpointsEnabled()).isTrue();

    config.setString("execution.checkpointing.unaligned.enabled", "false");
    assertThatThrownBy(
            () ->
                CompletionJob.build(
                    StreamExecutionEnvironment.getExecutionEnvironment(new Configuration()),
                    config,
                    engines()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(
            "flinfer.deduplicate.ttl is set and execution.checkpointing.unaligned.enabled is false;");
  }

  @Test
  void setsWhatTheJobNeedsUnlessItIsGiven() {
    TestTopics topics = TestTopics.create(kafka, "defaults");
    Configuration config = topics.config(model());
    config.removeConfig(CheckpointingOptions.CHECKPOINTING_INTERVAL);
    config.removeConfig(RestartStrategyOptions.RESTART_STRATEGY);
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.getExecutionEnvironment(new Configuration());
    CompletionJob.build(env, config, engines());
    assertThat(env.getCheckpointConfig().getCheckpointInterval()).isEqualTo(10_000);
    assertThat(env.getConfiguration().get(RestartStrategyOptions.RESTART_STRATEGY))
        .isEqualTo("exponential-delay");
    assertThat(env.getConfiguration().get(PipelineOptions.GENERIC_TYPES)).isFalse();
    assertThat(env.getConfig().isObjectReuseEnabled()).isTrue();
    StreamGraph graph = env.getStreamGraph();
    assertThat(graph.getJobName()).isEqualTo("flinfer");
    // One vertex until the committers: the operator is chained to the source.
    assertThat(graph.getJobGraph().getVerticesSortedTopologicallyFromSources().get(0).getName())
        .contains("prompts", "inference", "completions: Writer", "rejections: Writer");
  }

  @Test
  void keepsGivenOptions() {
    TestTopics topics = TestTopics.create(kafka, "given");
    Configuration config = topics.config(model());
    config.setString("pipeline.name", "mine");
    config.setString("pipeline.object-reuse", "false");
    config.setString("parallelism.default", "3");
    config.setString("flinfer.kafka.properties.sasl.jaas.config", "secret");
    StreamExecutionEnvironment env =
        StreamExecutionEnvironment.getExecutionEnvironment(new Configuration());
    CompletionJob.build(env, config, engines());
    assertThat(env.getCheckpointConfig().getCheckpointInterval()).isEqualTo(200);
    assertThat(env.getConfiguration().get(RestartStrategyOptions.RESTART_STRATEGY))
        .isEqualTo("fixed-delay");
    assertThat(env.getConfig().isObjectReuseEnabled()).isFalse();
    assertThat(env.getParallelism()).isEqualTo(3);
    assertThat(env.getConfiguration().toMap().keySet()).noneMatch(k -> k.startsWith("flinfer."));
    assertThat(env.getStreamGraph().getJobName()).isEqualTo("mine");
  }

  @Test
  void checksItsOptionsAgainstTheCheckpoints() {
    TestTopics topics = TestTopics.create(kafka, "contradiction");
    Configuration config = topics.config(model());
    config.setString("flinfer.kafka.transaction-timeout", "1 min");
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(config);
    assertThatThrownBy(() -> CompletionJob.build(env, config, engines()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("flinfer.kafka.transaction-timeout is 60 s; it must be at least");
  }
}

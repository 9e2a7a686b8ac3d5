package dev.flinfer.jobs;

import static dev.flinfer.jobs.TestTopics.header;
import static dev.flinfer.jobs.TestTopics.record;
import static dev.flinfer.jobs.TestTopics.text;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.cli.local.EmbeddedKafka;
import dev.flinfer.cli.local.LocalCluster;
import dev.flinfer.flink.EngineSupplier;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.FinishReason;
import dev.flinfer.schema.Throughput;
import dev.flinfer.schema.WireFormat;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Tests that hold with any engine, on a real broker and a Flink cluster in this process. */
abstract class CompletionJobContract {
  private static final long MINUTE = 60_000;

  static EmbeddedKafka kafka;
  static LocalCluster cluster;

  abstract String model();

  abstract EngineSupplier engines();

  @BeforeAll
  static void start() {
    kafka = EmbeddedKafka.start();
    cluster = LocalCluster.start(TestTopics.PARTITIONS);
  }

  @AfterAll
  static void stop() {
    try (EmbeddedKafka broker = kafka) {
      cluster.close();
    }
  }

  JobClient submit(Configuration config, EngineSupplier engines) {
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(config);
    env.setParallelism(TestTopics.PARTITIONS);
    CompletionJob.build(env, config, engines);
    return cluster.submit(env);
  }

  void runToEnd(Configuration config, EngineSupplier engines) throws Exception {
    submit(config, engines).getJobExecutionResult().get(2 * MINUTE, TimeUnit.MILLISECONDS);
  }

  static List<ProducerRecord<byte[], byte[]>> prompts(TestTopics topics, int count) {
    List<ProducerRecord<byte[], byte[]>> prompts = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String json =
          "{\"id\": \"r%d\", \"prompt\": \"prompt %d\", \"max_tokens\": 4, \"temperature\": 0}"
              .formatted(i, i);
      prompts.add(record(topics.input, "key-" + i, json.getBytes(UTF_8)));
    }
    return prompts;
  }

  /** Returns the completions by id, after checking that no id occurs twice. */
  static Map<String, Completion> completions(TestTopics topics, WireFormat format) {
    Map<String, Completion> completions = new HashMap<>();
    for (ConsumerRecord<byte[], byte[]> record : topics.read(topics.output)) {
      Completion completion = format.reader(Completion.class).read(record.value());
      assertThat(completions.put(completion.getId(), completion)).as(completion.getId()).isNull();
    }
    return completions;
  }

  @Test
  void everyPromptHasOneCompletionUnderItsKeyAndHeaders() throws Exception {
    TestTopics topics = TestTopics.create(kafka, "json");
    topics.send(prompts(topics, 50));
    runToEnd(topics.config(model()), engines());

    Set<String> ids = new HashSet<>();
    for (ConsumerRecord<byte[], byte[]> record : topics.read(topics.output)) {
      Completion completion = WireFormat.JSON.reader(Completion.class).read(record.value());
      assertThat(ids.add(completion.getId())).as(completion.getId()).isTrue();
      String key = completion.getId().replace("r", "key-");
      assertThat(text(record.key())).isEqualTo(key);
      assertThat(header(record, "trace")).isEqualTo("trace-" + key);
      assertThat(record.headers().lastHeader("empty").value()).isNull();
      assertThat(record.headers()).hasSize(2);
      assertThat(completion.getFinishReason()).isNotEqualTo(FinishReason.ERROR);
    }
    assertThat(ids).hasSize(50);
    assertThat(topics.read(topics.dlq)).isEmpty();
    assertThat(requestsCounted(topics, WireFormat.JSON)).isEqualTo(50);
  }

  private static long requestsCounted(TestTopics topics, WireFormat format) {
    long requests = 0;
    for (ConsumerRecord<byte[], byte[]> record : topics.read(topics.metrics)) {
      Throughput throughput = format.reader(Throughput.class).read(record.value());
      assertThat(text(record.key())).isEqualTo(Integer.toString(throughput.getSubtask()));
      requests += throughput.getRequests();
    }
    return requests;
  }

  @Test
  void whatCannotBeAnsweredGoesToTheDeadLetterQueueAndTheJobGoesOn() throws Exception {
    TestTopics topics = TestTopics.create(kafka, "bad");
    Map<String, String> bad = new HashMap<>();
    bad.put("malformed", "{\"prompt\": ");
    bad.put("unknown", "{\"prompt\": \"a\", \"max_tokenz\": 4}");
    bad.put("empty", "{\"id\": \"e\", \"prompt\": \"\"}");
    bad.put("long", "{\"prompt\": \"%s\"}".formatted("word ".repeat(20_000)));
    bad.put("nan", "{\"prompt\": \"a\", \"temperature\": NaN}");
    List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
    bad.forEach((key, value) -> records.add(record(topics.input, key, value.getBytes(UTF_8))));
    records.add(record(topics.input, "tombstone", null));
    records.addAll(prompts(topics, 10));
    topics.send(records);
    runToEnd(topics.config(model()), engines());

    assertThat(completions(topics, WireFormat.JSON)).hasSize(10);
    Map<String, ConsumerRecord<byte[], byte[]>> dlq = new HashMap<>();
    topics.read(topics.dlq).forEach(record -> dlq.put(text(record.key()), record));
    assertThat(dlq).containsOnlyKeys(bad.keySet());
    dlq.forEach(
        (key, record) -> {
          assertThat(text(record.value())).isEqualTo(bad.get(key));
          assertThat(header(record, "trace")).isEqualTo("trace-" + key);
          assertThat(header(record, "__connect.errors.topic")).isEqualTo(topics.input);
          assertThat(header(record, "__connect.errors.partition")).matches("[01]");
          assertThat(header(record, "__connect.errors.offset")).matches("\\d+");
        });
    assertReason(dlq.get("malformed"), "DESERIALIZE", "WireFormatException", "");
    assertReason(dlq.get("unknown"), "DESERIALIZE", "WireFormatException", "max_tokenz");
    assertReason(dlq.get("empty"), "VALIDATE", "InvalidRequestException", "prompt");
    assertReason(dlq.get("long"), "VALIDATE", "InvalidRequestException", "max_model_len");
    assertReason(dlq.get("nan"), "VALIDATE", "InvalidRequestException", "temperature");
  }

  private static void assertReason(
      ConsumerRecord<byte[], byte[]> record, String stage, String error, String message) {
    assertThat(header(record, "__connect.errors.stage")).isEqualTo(stage);
    assertThat(header(record, "__connect.errors.exception.class.name")).endsWith("." + error);
    assertThat(header(record, "__connect.errors.exception.message")).isNotBlank().contains(message);
  }

  @Test
  void readsAndWritesAvro() throws Exception {
    TestTopics topics = TestTopics.create(kafka, "avro");
    List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
    WireFormat.Writer<CompletionRequest> writer = WireFormat.AVRO.writer(CompletionRequest.class);
    for (int i = 0; i < 10; i++) {
      CompletionRequest request =
          CompletionRequest.newBuilder().setPrompt("prompt " + i).setMaxTokens(4).build();
      records.add(record(topics.input, null, writer.write(request)));
    }
    topics.send(records);
    Configuration config = topics.config(model());
    config.setString("flinfer.input.format", "avro");
    config.setString("flinfer.output.format", "avro");
    runToEnd(config, engines());

    Map<String, Completion> completions = completions(topics, WireFormat.AVRO);
    assertThat(completions).hasSize(10);
    assertThat(completions.keySet()).allMatch(id -> id.matches("avro-prompts-[01]-\\d"));
    assertThat(topics.read(topics.output)).allMatch(record -> record.key() == null);
    assertThat(requestsCounted(topics, WireFormat.AVRO)).isEqualTo(10);
  }

  @Test
  void writesTheTimeOfWritingUnlessTimestampsAreKept() throws Exception {
    TestTopics topics = TestTopics.create(kafka, "time");
    long old = System.currentTimeMillis() - 10 * MINUTE;
    List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
    for (String json : List.of("{\"prompt\": \"a\", \"max_tokens\": 1}", "{}")) {
      records.add(new ProducerRecord<>(topics.input, 0, old, null, json.getBytes(UTF_8)));
    }
    topics.send(records);
    Configuration config = topics.config(model());
    config.setString("flinfer.kafka.starting-offsets", "earliest");
    runToEnd(config, engines());
    assertThat(topics.read(topics.output)).singleElement().matches(r -> r.timestamp() > old);
    assertThat(topics.read(topics.dlq)).singleElement().matches(r -> r.timestamp() > old);

    config.setString("flinfer.output.keep-timestamps", "true");
    runToEnd(config, engines());
    assertThat(topics.read(topics.output)).hasSize(2).anyMatch(r -> r.timestamp() == old);
    assertThat(topics.read(topics.dlq)).hasSize(2).anyMatch(r -> r.timestamp() == old);
  }

  @Test
  void anUnboundedJobAnswersUntilItIsCancelled() throws Exception {
    TestTopics topics = TestTopics.create(kafka, "unbounded");
    Configuration config = topics.config(model());
    config.setString("flinfer.bounded", "false");
    JobClient job = submit(config, engines());
    for (int round = 1; round <= 2; round++) {
      topics.send(prompts(topics, 5));
      long deadline = System.currentTimeMillis() + MINUTE;
      while (topics.read(topics.output).size() < 5 * round
          && System.currentTimeMillis() < deadline) {
        Thread.sleep(100);
      }
      assertThat(topics.read(topics.output)).hasSize(5 * round);
    }
    job.cancel().get(MINUTE, TimeUnit.MILLISECONDS);
  }
}

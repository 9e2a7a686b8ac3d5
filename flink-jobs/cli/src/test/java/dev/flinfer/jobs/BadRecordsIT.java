package dev.flinfer.jobs;

import static dev.flinfer.jobs.TestTopics.header;
import static dev.flinfer.jobs.TestTopics.record;
import static dev.flinfer.jobs.TestTopics.text;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
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
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.metrics.Counter;
import org.apache.flink.runtime.testutils.InMemoryReporter;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Every way in which a record can be invalid, in one run of the job for each wire format. */
final class BadRecordsIT {
  private static final int GOOD = 20;

  /** A broker's default limit for a batch. */
  private static final int TOPIC_LIMIT = 1_048_588;

  private static final InMemoryReporter METRICS = InMemoryReporter.createWithRetainedMetrics();

  private static EmbeddedKafka kafka;
  private static LocalCluster cluster;
  private static final Map<WireFormat, Run> RUNS = new HashMap<>();

  /** The input of a run, by key, and its output. */
  private record Run(
      Map<String, byte[]> bad,
      Map<String, String> messages,
      Map<String, ConsumerRecord<byte[], byte[]>> dlq,
      List<ConsumerRecord<byte[], byte[]>> completions,
      List<Throughput> throughput,
      Map<String, Long> counters,
      String inputTopic) {}

  @BeforeAll
  @SuppressWarnings("try") // both are closed at the end of the run
  static void runTheJobs() throws Exception {
    try (EmbeddedKafka broker = EmbeddedKafka.start();
        LocalCluster flink =
            LocalCluster.start(
                TestTopics.PARTITIONS, 0, METRICS.addToConfiguration(new Configuration()))) {
      kafka = broker;
      cluster = flink;
      for (WireFormat format : WireFormat.values()) {
        RUNS.put(format, run(format));
      }
    }
  }

  private static Run run(WireFormat format) throws Exception {
    TestTopics topics = TestTopics.create(kafka, "bad-" + format);
    Map<String, byte[]> bad = new HashMap<>();
    Map<String, String> messages = new HashMap<>();
    InvalidRequests.MESSAGES.forEach(
        (json, message) -> {
          String key = "VALIDATE " + json.substring(0, Math.min(60, json.length()));
          bad.put(key, request(json, format));
          messages.put(key, message);
        });
    unreadable(format).forEach((key, value) -> bad.put("DESERIALIZE " + key, value));
    List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>();
    bad.forEach((key, value) -> records.add(record(topics.input, key, value)));
    for (int i = 0; i < GOOD; i++) {
      String json = "{'id': 'good%d', 'prompt': 'Ticket: late', 'max_tokens': 2}".formatted(i);
      records.add(2 * i, record(topics.input, "good" + i, request(json, format)));
      records.add(2 * i, record(topics.input, "tombstone", null));
    }
    topics.send(records);
    Configuration config =
        topics.config(Path.of("..", "..", "deploy", "demo-model").toAbsolutePath().toString());
    config.setString("flinfer.input.format", format.toString());
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(config);
    env.setParallelism(TestTopics.PARTITIONS);
    CompletionJob.build(env, config, EngineSupplier.shared());
    JobClient job = cluster.submit(env);
    job.getJobExecutionResult().get(120, TimeUnit.SECONDS);

    Map<String, ConsumerRecord<byte[], byte[]>> dlq = new HashMap<>();
    for (ConsumerRecord<byte[], byte[]> letter : topics.read(topics.dlq)) {
      assertThat(dlq.put(text(letter.key()), letter)).as(text(letter.key())).isNull();
    }
    WireFormat.Reader<Throughput> reader = WireFormat.JSON.reader(Throughput.class);
    return new Run(
        bad,
        messages,
        dlq,
        topics.read(topics.output),
        topics.read(topics.metrics).stream().map(r -> reader.read(r.value())).toList(),
        counters(job.getJobID()),
        topics.input);
  }

  /** Returns Flinfer's counters, summed over all subtasks. */
  private static Map<String, Long> counters(JobID job) {
    Map<String, Long> sums = new HashMap<>();
    METRICS
        .getMetricsByIdentifiers(job)
        .forEach(
            (name, metric) -> {
              int at = name.lastIndexOf(".inference."); // the operator has this name, too
              if (at >= 0 && metric instanceof Counter counter) {
                sums.merge(
                    name.substring(at + ".inference.".length()), counter.getCount(), Long::sum);
              }
            });
    return sums;
  }

  private static byte[] request(String json, WireFormat format) {
    byte[] bytes = json.replace('\'', '"').getBytes(UTF_8);
    if (format == WireFormat.JSON) {
      return bytes;
    }
    return format
        .writer(CompletionRequest.class)
        .write(WireFormat.JSON.reader(CompletionRequest.class).read(bytes));
  }

  /** Returns values that are not requests, by their defect. */
  private static Map<String, byte[]> unreadable(WireFormat format) {
    byte[] good = request("{'id': 'x', 'prompt': 'hello'}", format);
    Map<String, byte[]> bad = new HashMap<>();
    bad.put("empty", new byte[0]);
    bad.put("ends early", Arrays.copyOf(good, good.length - 1));
    bad.put("more bytes after it", Arrays.copyOf(good, good.length + 1));
    bad.put("not UTF-8", notUtf8(good));
    bad.put("zeros", new byte[100]);
    bad.put("reason does not fit", new byte[TOPIC_LIMIT - 600]);
    bad.put("no header fits", new byte[TOPIC_LIMIT - 200]);
    if (format == WireFormat.AVRO) {
      byte[] otherType = good.clone();
      otherType[2] ^= 1; // a byte of the schema's fingerprint
      bad.put("unknown schema", otherType);
      bad.put("another record's schema", completion());
      bad.put("Confluent's format", new byte[] {0, 0, 0, 0, 1, 2, 3});
      bad.put("JSON", request("{'prompt': 'a'}", WireFormat.JSON));
    } else {
      bad.put("unknown member", request("{'prompt': 'a', 'max_tokenz': 4}", format));
      bad.put("wrong type", request("{'prompt': 'a', 'max_tokens': '4'}", format));
      bad.put("beyond an int", request("{'prompt': 'a', 'max_tokens': 3000000000}", format));
      bad.put("member twice", request("{'prompt': 'a', 'prompt': 'b'}", format));
      bad.put("an array", request("[]", format));
      bad.put("null", request("null", format));
      bad.put("Avro", request("{'prompt': 'a'}", WireFormat.AVRO));
    }
    return bad;
  }

  private static byte[] notUtf8(byte[] good) {
    byte[] bad = good.clone();
    bad[new String(good, ISO_8859_1).indexOf("llo")] = (byte) 0xE9;
    return bad;
  }

  private static byte[] completion() {
    return WireFormat.AVRO
        .writer(Completion.class)
        .write(
            Completion.newBuilder()
                .setId("x")
                .setText("")
                .setFinishReason(FinishReason.STOP)
                .setPromptTokens(1)
                .setCompletionTokens(1)
                .setModel("phi")
                .setModelDigest("0")
                .build());
  }

  static Stream<Arguments> everyBadRecord() {
    return RUNS.entrySet().stream()
        .flatMap(
            run -> run.getValue().bad.keySet().stream().map(k -> Arguments.of(run.getKey(), k)));
  }

  @ParameterizedTest
  @MethodSource("everyBadRecord")
  void isInTheDeadLetterQueueUnchangedWithTheReason(WireFormat format, String key) {
    Run run = RUNS.get(format);
    ConsumerRecord<byte[], byte[]> letter = run.dlq.get(key);
    assertThat(letter).isNotNull();
    assertThat(header(letter, "trace")).isEqualTo("trace-" + key);
    assertThat(letter.headers().lastHeader("empty").value()).isNull();
    assertThat(header(letter, "__connect.errors.topic")).isEqualTo(run.inputTopic);
    assertThat(header(letter, "__connect.errors.partition")).matches("[01]");
    assertThat(header(letter, "__connect.errors.offset")).matches("\\d+");
    assertThat(header(letter, "__connect.errors.stage")).isEqualTo(key.split(" ", 2)[0]);
    if (key.endsWith("no header fits")) {
      assertThat(letter.value()).isEmpty();
      assertThat(header(letter, "flinfer.errors.left.out.value"))
          .isEqualTo(Integer.toString(TOPIC_LIMIT - 200));
    } else {
      assertThat(letter.value()).isEqualTo(run.bad.get(key));
    }
    if (!key.endsWith("reason does not fit")) {
      assertThat(header(letter, "__connect.errors.exception.class.name"))
          .endsWith(
              key.startsWith("VALIDATE") ? ".InvalidRequestException" : ".WireFormatException");
      assertThat(header(letter, "__connect.errors.exception.message"))
          .startsWith(run.messages.getOrDefault(key, "not a CompletionRequest in "));
    }
  }

  @ParameterizedTest
  @EnumSource(WireFormat.class)
  void theJobContinuesAndCountsThem(WireFormat format) {
    Run run = RUNS.get(format);
    assertThat(run.dlq).hasSameSizeAs(run.bad);
    assertThat(run.completions).hasSize(GOOD);
    assertThat(run.throughput.stream().mapToLong(Throughput::getRejections).sum())
        .isEqualTo(run.bad.size());
    assertThat(run.throughput.stream().mapToLong(Throughput::getRequests).sum()).isEqualTo(GOOD);
    assertThat(run.counters)
        .containsEntry("requests", (long) GOOD)
        .containsEntry("rejections", (long) run.bad.size())
        .containsEntry("tombstones", (long) GOOD)
        .containsEntry("dead_letters_shortened", 2L) // the two that are as large as their topic
        .containsEntry("dead_letters_left_out", 1L)
        .containsEntry("completions_too_large", 0L);
  }

  /** A new field in the schema needs a case here, or a reason for having none. */
  @Test
  void everyFieldThatCanBeOutOfRangeIsHere() {
    List<String> cannotBe =
        List.of(
            "include_stop_str_in_output", "ignore_eos", "seed", "priority", "deadline", "metadata");
    assertThat(CompletionRequest.getClassSchema().getFields())
        .map(field -> field.name())
        .filteredOn(
            name ->
                InvalidRequests.MESSAGES.keySet().stream().noneMatch(json -> json.contains(name)))
        .containsExactlyInAnyOrderElementsOf(cannotBe);
  }
}

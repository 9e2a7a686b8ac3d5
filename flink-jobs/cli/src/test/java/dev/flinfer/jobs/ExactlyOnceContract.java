package dev.flinfer.jobs;

import static dev.flinfer.jobs.TestTopics.record;
import static dev.flinfer.jobs.TestTopics.text;
import static dev.flinfer.jobs.Waits.TIMEOUT_SECONDS;
import static dev.flinfer.jobs.Waits.await;
import static dev.flinfer.jobs.Waits.awaitAnswers;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.cli.local.EmbeddedKafka;
import dev.flinfer.cli.local.LocalCluster;
import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.Throughput;
import dev.flinfer.schema.WireFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.checkpoint.CheckpointException;
import org.apache.flink.runtime.checkpoint.CheckpointFailureReason;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.ExceptionUtils;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.TransactionState;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/**
 * Jobs that are disturbed, and what a consumer of committed records sees of them: each record is
 * answered or rejected once, with the same outcome as in an undisturbed run.
 */
abstract class ExactlyOnceContract {
  static final int PROMPTS = 300;
  private static final int BAD_EVERY = 10;
  private static final int SLOTS = 3;

  /** The part of an outcome that must not differ between two runs; times and cache hits can. */
  private record Answer(String text, List<Integer> tokens, String finish) {}

  private static final List<JobClient> JOBS = new ArrayList<>();

  @TempDir private static Path dir;
  private static EmbeddedKafka kafka;
  private static LocalCluster cluster;
  private static Map<String, Answer> undisturbed;

  @BeforeAll
  static void start() throws Exception {
    RandomCheckpoint.write(dir.resolve("model"), RandomCheckpoint.Shape.EVEN, DType.F32, 5);
    startBroker();
    cluster = LocalCluster.start(SLOTS);
    Faults.none();
    TestTopics topics = TestTopics.create(kafka, "undisturbed");
    topics.send(prompts(topics));
    await(submit(config(topics), 2));
    undisturbed = answers(topics);
    assertThat(undisturbed).hasSize(PROMPTS - PROMPTS / BAD_EVERY);
  }

  @AfterAll
  static void stop() {
    Faults.none();
    try (EmbeddedKafka broker = kafka) {
      cluster.close();
    }
  }

  @BeforeEach
  void noFaults() {
    Faults.none();
  }

  /** A job left over by a failed test would take the slots of the next test. */
  @AfterEach
  void endJobs() throws Exception {
    for (JobClient job : JOBS) {
      if (!job.getJobStatus().get().isGloballyTerminalState()) {
        job.cancel().get();
      }
    }
    JOBS.clear();
  }

  static void startBroker() throws IOException {
    // The default interval of the check for transactions that are open for too long is 10 s.
    kafka =
        EmbeddedKafka.start(
            dir.resolve("kafka"),
            Map.of("transaction.abort.timed.out.transaction.cleanup.interval.ms", "500"));
  }

  /** Stops the broker, and starts it again with its data on disk. */
  static void restartBroker() throws IOException {
    kafka.close();
    startBroker();
  }

  static EmbeddedKafka kafka() {
    return kafka;
  }

  static Path dir() {
    return dir;
  }

  static JobClient submitUnchecked(Configuration config, int parallelism) {
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(config);
    env.setParallelism(parallelism);
    CompletionJob.add(env, config, JobOptions.from(config), FaultyEngine.supplier());
    return submit(env);
  }

  static LocalCluster cluster() {
    return cluster;
  }

  /** Creates new topics with the same prompts as in the undisturbed run. */
  static TestTopics topics(String name) throws Exception {
    TestTopics topics = TestTopics.create(kafka, name);
    topics.send(prompts(topics));
    return topics;
  }

  static Configuration config(TestTopics topics) {
    Configuration config = topics.config(dir.resolve("model").toString());
    config.setString("flinfer.max-num-seqs", "4");
    config.setString("flinfer.kv-cache-memory", "1 mb");
    config.setString("flinfer.throughput.interval", "300 ms");
    config.setString("restart-strategy.fixed-delay.attempts", "20");
    return config;
  }

  private static List<ProducerRecord<byte[], byte[]>> prompts(TestTopics topics) {
    List<ProducerRecord<byte[], byte[]>> prompts = new ArrayList<>();
    for (int i = 0; i < PROMPTS; i++) {
      String json =
          i % BAD_EVERY == 7
              ? "{\"id\": \"r%d\", \"prompt\": ".formatted(i)
              : "{\"id\": \"r%d\", \"prompt\": \"prompt %d\", \"max_tokens\": %d}"
                  .formatted(i, i, 1 + i * 7 % 40);
      prompts.add(record(topics.input, "r" + i, json.getBytes(UTF_8)));
    }
    return prompts;
  }

  static JobClient submit(Configuration config, int parallelism) {
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(config);
    env.setParallelism(parallelism);
    CompletionJob.build(env, config, FaultyEngine.supplier());
    return submit(env);
  }

  private static JobClient submit(StreamExecutionEnvironment env) {
    JobClient job = cluster.submit(env);
    JOBS.add(job);
    return job;
  }

  /**
   * Submits the job and returns when a consumer sees {@code answers / 2} more answers. The job
   * gives no more than {@code answers} until {@link Faults#allowAllAnswers}, so it is still
   * running, however busy the machine is.
   */
  static JobClient submitHeld(TestTopics topics, Configuration config, int parallelism, int answers)
      throws Exception {
    int before = topics.read(topics.output).size();
    Faults.allowAnswers(answers);
    JobClient job = submit(config, parallelism);
    awaitAnswers(topics, before + answers / 2);
    return job;
  }

  /** Stops the job; tries again if a subtask without partitions ends at just this moment. */
  static String stopWithSavepoint(JobClient job) throws Exception {
    while (true) {
      try {
        return job.stopWithSavepoint(false, dir + "/savepoints", SavepointFormatType.CANONICAL)
            .get();
      } catch (ExecutionException e) {
        if (ExceptionUtils.findThrowable(e, CheckpointException.class)
            .map(CheckpointException::getCheckpointFailureReason)
            .filter(CheckpointFailureReason.CHECKPOINT_DECLINED_TASK_CLOSING::equals)
            .isEmpty()) {
          throw e;
        }
      }
    }
  }

  /** Waits until the broker has aborted all transactions that the job left open. */
  static void awaitAborted(TestTopics topics) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
    try (Admin admin = kafka.admin()) {
      while (admin.listTransactions().all().get().stream()
          .filter(transaction -> transaction.transactionalId().startsWith(topics.name()))
          .anyMatch(transaction -> transaction.state() == TransactionState.ONGOING)) {
        assertThat(System.nanoTime()).as("aborted in time").isLessThan(deadline);
      }
    }
  }

  static int allAnswers() {
    return undisturbed.size();
  }

  /** Asserts that each record has one outcome, that of the undisturbed run. */
  static void assertExactlyOnce(TestTopics topics) {
    Map<String, Answer> answers = answers(topics);
    assertThat(answers).as("answers").containsOnlyKeys(undisturbed.keySet());
    // isEqualTo would print all of them.
    assertThat(answers.keySet()).allMatch(id -> answers.get(id).equals(undisturbed.get(id)));
    List<String> rejected = topics.read(topics.dlq).stream().map(r -> text(r.key())).toList();
    Set<String> bad = new TreeSet<>();
    for (int i = 7; i < PROMPTS; i += BAD_EVERY) {
      bad.add("r" + i);
    }
    assertThat(rejected).containsExactlyInAnyOrderElementsOf(bad);
    assertReconciles(topics);
  }

  /** Asserts the job's own counts, which are committed with the counted records. */
  private static void assertReconciles(TestTopics topics) {
    WireFormat.Reader<Throughput> reader = WireFormat.JSON.reader(Throughput.class);
    long requests = 0;
    long rejections = 0;
    long tokens = 0;
    for (ConsumerRecord<byte[], byte[]> record : topics.read(topics.metrics)) {
      Throughput report = reader.read(record.value());
      requests += report.getRequests();
      rejections += report.getRejections();
      tokens += report.getCompletionTokens();
    }
    assertThat(requests).as("completions counted").isEqualTo(undisturbed.size());
    assertThat(rejections).as("rejections counted").isEqualTo(PROMPTS - undisturbed.size());
    assertThat(tokens)
        .as("tokens counted")
        .isEqualTo(undisturbed.values().stream().mapToLong(a -> a.tokens().size()).sum());
  }

  /** Asserts that each request has an answer, that of the undisturbed run, perhaps repeatedly. */
  static void assertAtLeastOnce(TestTopics topics) {
    WireFormat.Reader<Completion> reader = WireFormat.JSON.reader(Completion.class);
    Set<String> answered = new TreeSet<>();
    for (ConsumerRecord<byte[], byte[]> record : topics.read(topics.output)) {
      Completion completion = reader.read(record.value());
      Answer expected = undisturbed.get(completion.getId());
      assertThat(completion.getText()).as(completion.getId()).isEqualTo(expected.text());
      answered.add(completion.getId());
    }
    assertThat(answered).isEqualTo(undisturbed.keySet());
  }

  static Map<String, Answer> answers(TestTopics topics) {
    Map<String, Answer> answers = new HashMap<>();
    WireFormat.Reader<Completion> reader = WireFormat.JSON.reader(Completion.class);
    for (ConsumerRecord<byte[], byte[]> record : topics.read(topics.output)) {
      Completion completion = reader.read(record.value());
      Answer answer =
          new Answer(
              completion.getText(),
              completion.getTokenIds(),
              completion.getFinishReason().toString());
      assertThat(answers.put(completion.getId(), answer)).as(completion.getId()).isNull();
    }
    return answers;
  }
}

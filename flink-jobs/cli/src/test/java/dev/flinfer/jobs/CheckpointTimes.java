package dev.flinfer.jobs;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flinfer.cli.local.EmbeddedKafka;
import dev.flinfer.cli.local.LocalCluster;
import dev.flinfer.flink.EngineSupplier;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * The durations of checkpoints of a job whose engine is full and slow. As a program, it prints the
 * distribution: {@code CheckpointTimes STEP_MILLIS TOKENS SECONDS}.
 */
final class CheckpointTimes {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int PROMPTS = 500;

  private CheckpointTimes() {}

  public static void main(String[] args) throws Exception {
    Duration step = Duration.ofMillis(Long.parseLong(args[0]));
    int tokens = Integer.parseInt(args[1]);
    int checkpoints = Integer.parseInt(args[2]);
    try (EmbeddedKafka kafka = EmbeddedKafka.start();
        LocalCluster cluster = LocalCluster.start(TestTopics.PARTITIONS)) {
      List<Long> millis = measure(kafka, cluster, step, tokens, checkpoints);
      System.out.printf(
          "%d checkpoints, step %d ms, %d tokens an answer: p50 %d ms, p90 %d ms, max %d ms%n",
          millis.size(),
          step.toMillis(),
          tokens,
          millis.get(millis.size() / 2),
          millis.get(millis.size() * 9 / 10),
          millis.get(millis.size() - 1));
    }
  }

  /**
   * @param tokens tokens, and steps, per completion
   * @param checkpoints number of checkpoints to wait for
   * @return their durations in milliseconds from trigger to completion, sorted; a pending one
   *     counts with the time it has taken so far
   */
  static List<Long> measure(
      EmbeddedKafka kafka, LocalCluster cluster, Duration step, int tokens, int checkpoints)
      throws Exception {
    TestTopics topics = TestTopics.create(kafka, "slow");
    List<ProducerRecord<byte[], byte[]>> prompts = new ArrayList<>();
    for (int i = 0; i < PROMPTS; i++) {
      String json = "{\"prompt\": \"a\", \"max_tokens\": %d}".formatted(tokens);
      prompts.add(TestTopics.record(topics.input, "k" + i, json.getBytes(UTF_8)));
    }
    topics.send(prompts);
    Configuration config = topics.config("slow");
    config.setString("flinfer.max-in-flight", "4");
    config.setString("execution.checkpointing.interval", "500 ms");
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(config);
    env.setParallelism(TestTopics.PARTITIONS);
    EngineSupplier engines = options -> new SlowEngine(step);
    CompletionJob.build(env, config, engines);
    JobClient job = cluster.submit(env);
    try {
      return durations(cluster.webUrl() + "/jobs/" + job.getJobID() + "/checkpoints", checkpoints);
    } finally {
      job.cancel().get();
    }
  }

  private static List<Long> durations(String url, int checkpoints) throws Exception {
    Map<Long, Long> durations = new TreeMap<>();
    HttpRequest request = HttpRequest.newBuilder(URI.create(url)).build();
    long deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    try (HttpClient client = HttpClient.newHttpClient()) {
      // The cluster keeps the last ten; it is queried often enough to miss none.
      while (durations.size() < checkpoints && System.nanoTime() < deadline) {
        String body = client.send(request, HttpResponse.BodyHandlers.ofString()).body();
        for (JsonNode checkpoint : JSON.readTree(body).path("history")) {
          // The first one fails because the job is still starting.
          if (checkpoint.get("id").asLong() > 1) {
            durations.put(
                checkpoint.get("id").asLong(), checkpoint.get("end_to_end_duration").asLong());
          }
        }
      }
    }
    return durations.values().stream().sorted().toList();
  }
}

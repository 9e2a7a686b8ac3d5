package dev.flinfer.cli.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flinfer.cli.RecordedConsole;
import dev.flinfer.cli.local.EmbeddedKafka;
import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.weights.DType;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code produce}, {@code run} and {@code consume} against a broker. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
final class KafkaCommandsIT {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private static Path model;
  private static EmbeddedKafka kafka;

  @TempDir private Path dir;
  private final RecordedConsole recorded = new RecordedConsole();

  @BeforeAll
  static void start() {
    RandomCheckpoint.write(model, RandomCheckpoint.Shape.ODD, DType.F32, 1);
    kafka = EmbeddedKafka.start();
  }

  @AfterAll
  static void stop() {
    kafka.close();
  }

  private static void createTopics(String name) {
    kafka.createTopics(1, name + "-in", name + "-out", name + "-dlq", name + "-throughput");
  }

  private int produce(String name, String format, String... lines) throws IOException {
    Path file = Files.write(dir.resolve("in.jsonl"), List.of(lines));
    return recorded.run(
        "produce",
        file.toString(),
        "--bootstrap-servers",
        kafka.bootstrapServers(),
        "--topic",
        name + "-in",
        "--format",
        format);
  }

  private static String[] runArguments(String name, String... more) {
    List<String> args = new ArrayList<>(List.of("run", "--model", model.toString()));
    args.addAll(List.of("--bootstrap-servers", kafka.bootstrapServers()));
    args.addAll(List.of("--set", "flinfer.input.topic=" + name + "-in"));
    args.addAll(List.of("-Dflinfer.output.topic=" + name + "-out"));
    args.addAll(List.of("-D", "flinfer.dlq.topic=" + name + "-dlq"));
    args.addAll(List.of("-D", "flinfer.metrics.topic=" + name + "-throughput"));
    args.addAll(List.of("-D", "flinfer.kafka.group-id=" + name));
    args.addAll(List.of("-D", "flinfer.kafka.transactional-id-prefix=" + name));
    args.addAll(List.of(more));
    return args.toArray(String[]::new);
  }

  private static List<JsonNode> consume(String topic, int records) throws IOException {
    RecordedConsole reader = new RecordedConsole();
    int code =
        reader.run(
            "consume",
            "--bootstrap-servers",
            kafka.bootstrapServers(),
            "--topic",
            topic,
            "--from-beginning",
            "--max-messages",
            Integer.toString(records),
            "--timeout",
            "10",
            "--show-key");
    assertThat(code).isZero();
    return JSON.readerFor(JsonNode.class).<JsonNode>readValues(reader.out()).readAll();
  }

  @ParameterizedTest
  @ValueSource(strings = {"json", "avro"})
  void aPromptComesBackWithItsKey(String format) throws IOException {
    createTopics(format);

    assertThat(
            produce(
                format,
                format,
                "{\"id\": \"a\", \"prompt\": \"Hello\", \"metadata\": {\"k\": \"v\"}}",
                "just text",
                "{\"id\": \"c\", \"prompt\": \"\"}"))
        .isZero();
    assertThat(recorded.err()).endsWith("3 records to topic " + format + "-in\n");
    String[] formats = {
      "-Dflinfer.input.format=" + format, "-Dflinfer.output.format=" + format, "--bounded"
    };
    assertThat(recorded.run(runArguments(format, formats))).isZero();

    List<JsonNode> completions = consume(format + "-out", 2);
    assertThat(completions)
        .anySatisfy(
            record -> {
              assertThat(record.get("key").asText()).isEqualTo("a");
              assertThat(record.get("value").get("id").asText()).isEqualTo("a");
              assertThat(record.get("value").get("metadata").get("k").asText()).isEqualTo("v");
            })
        .anySatisfy(
            record -> {
              assertThat(record.get("key").isNull()).isTrue();
              assertThat(record.get("value").get("id").asText()).isEqualTo(format + "-in-0-1");
            });
    JsonNode rejected = consume(format + "-dlq", 1).get(0);
    assertThat(rejected.get("key").asText()).isEqualTo("c");
    assertThat(rejected.get("headers").get("__connect.errors.exception.message").asText())
        .isEqualTo("prompt is empty; it must hold at least one token");
  }

  @Test
  void aLineThatIsNotARequestIsSkipped() throws IOException {
    createTopics("bad");

    assertThat(produce("bad", "json", "{\"prompt\": 1}", "{\"prompt\": \"x\"}")).isEqualTo(1);

    assertThat(recorded.err()).contains("in.jsonl:1: ").endsWith("1 record to topic bad-in\n");
  }

  /**
   * Runs until the job is up and the given action is done, then ends the job as Ctrl-C does. It
   * sends TERM, because a shell that starts this in the background ignores INT, and so does the JVM
   * then.
   */
  private static void runAndStop(Callable<?> meanwhile, String... arguments) throws Exception {
    RecordedConsole console = new RecordedConsole();
    CompletableFuture<Integer> run = CompletableFuture.supplyAsync(() -> console.run(arguments));
    while (!console.err().contains("web UI is at")) {
      assertThat(run).as(console.err()).isNotDone();
      TimeUnit.MILLISECONDS.sleep(50);
    }
    meanwhile.call();
    String pid = Long.toString(ProcessHandle.current().pid());
    new ProcessBuilder("kill", "-TERM", pid).start().waitFor();
    assertThat(run.get(2, TimeUnit.MINUTES)).as(console.err()).isEqualTo(143);
  }

  @Test
  void stoppingFinishesTheRequestsInFlight() throws Exception {
    createTopics("stop");
    produce("stop", "json", "{\"id\": \"a\", \"prompt\": \"x\"}");

    // Stopping commits it: no checkpoint is due within these minutes.
    runAndStop(
        () -> null, runArguments("stop", "--ui", "--set", "execution.checkpointing.interval=3min"));

    assertThat(consume("stop-out", 1).get(0).get("key").asText()).isEqualTo("a");
  }

  /** A bounded run ends with the records it found; a second run finds the rest. */
  @Test
  void withoutAStateDirectoryEachPromptIsAnsweredOnceThoughTheRunIsStopped() throws Exception {
    createTopics("again");
    produce("again", "json", "{\"id\": \"a\", \"prompt\": \"x\"}");
    assertThat(recorded.run(runArguments("again", "--bounded"))).isZero();
    assertThat(recorded.err()).contains("--state DIR prevents that");
    produce("again", "json", "{\"id\": \"b\", \"prompt\": \"x\"}");
    // Only stopping commits it, and its offset.
    runAndStop(
        () -> null,
        runArguments("again", "--ui", "--set", "execution.checkpointing.interval=3min"));
    produce("again", "json", "{\"id\": \"c\", \"prompt\": \"x\"}");
    assertThat(recorded.run(runArguments("again", "--bounded"))).isZero();

    assertThat(consume("again-out", 4))
        .extracting(record -> record.get("key").asText())
        .containsExactlyInAnyOrder("a", "b", "c");
  }

  @Test
  void withAStateDirectoryEachPromptIsAnsweredOnceThoughTheRunIsStopped() throws Exception {
    createTopics("state");
    String state = dir.resolve("a state").toString();
    String[] arguments =
        runArguments("state", "--ui", "--state", state, "-Dexecution.checkpointing.interval=300ms");

    produce("state", "json", "{\"id\": \"a\", \"prompt\": \"x\", \"max_tokens\": 40}");
    runAndStop(() -> null, arguments);
    produce("state", "json", "{\"id\": \"b\", \"prompt\": \"x\"}");
    runAndStop(() -> consume("state-out", 1), arguments);
    produce("state", "json", "{\"id\": \"c\", \"prompt\": \"x\"}");
    runAndStop(() -> consume("state-out", 3), arguments);

    assertThat(consume("state-out", 4))
        .extracting(record -> record.get("key").asText())
        .containsExactlyInAnyOrder("a", "b", "c");
  }

  @Test
  void aJobThatIsCanceledFromOutsideEndsWithAnError() throws Exception {
    createTopics("cancel");
    RecordedConsole console = new RecordedConsole();
    CompletableFuture<Integer> run =
        CompletableFuture.supplyAsync(
            () -> console.run(runArguments("cancel", "--ui", "--set", "web.cancel.enable=true")));
    Pattern address = Pattern.compile("web UI is at (\\S+)");
    Matcher url = address.matcher(console.err());
    while (!url.find()) {
      assertThat(run).as(console.err()).isNotDone();
      TimeUnit.MILLISECONDS.sleep(50);
      url = address.matcher(console.err());
    }
    try (HttpClient client = HttpClient.newHttpClient()) {
      URI jobs = URI.create(url.group(1) + "/jobs");
      HttpResponse<String> listed =
          client.send(HttpRequest.newBuilder(jobs).build(), HttpResponse.BodyHandlers.ofString());
      String id = JSON.readTree(listed.body()).at("/jobs/0/id").asText();
      client.send(
          HttpRequest.newBuilder(URI.create(jobs + "/" + id + "?mode=cancel"))
              .method("PATCH", HttpRequest.BodyPublishers.noBody())
              .build(),
          HttpResponse.BodyHandlers.ofString());
    }

    assertThat(run.get(1, TimeUnit.MINUTES)).isEqualTo(1);
    assertThat(console.err()).contains("the job was canceled from outside this command");
  }

  @Test
  void aMissingTopicIsAnErrorThatNamesIt() throws IOException {
    assertThat(recorded.run(runArguments("none"))).isEqualTo(1);
    assertThat(recorded.err()).contains("none-in", "kafka-topics.sh").doesNotContain("\tat ");
    assertThat(
            recorded.run(
                "consume", "--bootstrap-servers", kafka.bootstrapServers(), "--topic", "none"))
        .isEqualTo(1);
    assertThat(recorded.err()).contains("flinfer: topic none does not exist; the broker has");
    assertThat(produce("none", "json", "x")).isEqualTo(1);
    assertThat(recorded.err()).contains("flinfer: topic none-in does not exist; the broker has");
  }

  @Test
  void anOptionThatDoesNotExistIsAnError() {
    assertThat(recorded.run(runArguments("none", "--set", "flinfer.max-seqs=3"))).isEqualTo(2);
    assertThat(recorded.err())
        .contains("flinfer.max-seqs is not an option; did you mean flinfer.max-num-seqs? ");
  }
}

package dev.flinfer.cli.quickstart;

import dev.flinfer.cli.Console;
import dev.flinfer.cli.DemoModel;
import dev.flinfer.cli.EngineArguments;
import dev.flinfer.cli.ProgressPrinter;
import dev.flinfer.cli.Prompts;
import dev.flinfer.cli.Prompts.Prompt;
import dev.flinfer.cli.RequestEncoder;
import dev.flinfer.cli.StallWatch;
import dev.flinfer.cli.Text;
import dev.flinfer.cli.UserError;
import dev.flinfer.cli.kafka.KafkaArguments;
import dev.flinfer.cli.kafka.Readback;
import dev.flinfer.cli.kafka.RecordSender;
import dev.flinfer.cli.local.EmbeddedKafka;
import dev.flinfer.cli.local.LocalJob;
import dev.flinfer.cli.local.StopSignal;
import dev.flinfer.flink.FlinferOptions;
import dev.flinfer.jobs.KafkaOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestartStrategyOptions;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "quickstart",
    description =
        "Send support tickets through a Kafka broker, a Flink job and a small Phi model, all in"
            + " this process, and show the completions.",
    footer = {
      "",
      "The figures are computed from the records read back from Kafka. Exit code 0",
      "means that every prompt has exactly one completion or rejection.",
      "",
      "Example:",
      "  flinfer quickstart --limit 100"
    })
public final class QuickstartCommand implements Callable<Integer> {
  /** Output can be read when a checkpoint commits it. */
  private static final Duration CHECKPOINT_INTERVAL = Duration.ofSeconds(1);

  private static final Duration THROUGHPUT_INTERVAL = Duration.ofSeconds(1);
  private static final Duration DRAIN_TIMEOUT = Duration.ofMinutes(1);

  /** Longer than the first completion of Phi-2 takes on a laptop. */
  private static final int STALLED_MINUTES = 5;

  private final Console console;

  @Option(
      names = "--model",
      paramLabel = "PATH",
      description = "Model directory (default: the demo model).")
  private Path model;

  @Option(
      names = "--prompts",
      paramLabel = "FILE",
      description = "Requests with an id, one per line, as JSON (default: the held-out tickets).")
  private Path promptsFile;

  @Option(names = "--limit", paramLabel = "N", description = "Send only the first N prompts.")
  private long limit;

  @Option(
      names = "--parallelism",
      paramLabel = "N",
      description = "Parallelism of the job, and partitions of the topics (default: 1).")
  private int parallelism = 1;

  @Option(
      names = "--keep",
      description = "Keep broker, job and web UI running until Ctrl-C, and print how to use them.")
  private boolean keep;

  @Mixin private EngineArguments engineArguments;

  private KafkaArguments kafkaArguments;

  public QuickstartCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    DemoModel demo = DemoModel.of(console);
    Path checkpoint = demo.unless(model);
    Map<String, Prompt> prompts =
        Prompts.read(promptsFile == null ? demo.heldOut() : promptsFile, limit);
    console.print(List.of("Starting Kafka and Flink in this process, log: " + console.log()));
    try (StopSignal stop = StopSignal.install();
        EmbeddedKafka kafka = EmbeddedKafka.start()) {
      kafkaArguments = KafkaArguments.of(kafka.bootstrapServers());
      kafka.createTopics(parallelism, Readback.TOPICS.toArray(String[]::new));
      try (LocalJob job = LocalJob.start(configuration(checkpoint), parallelism, 0)) {
        console.print(
            List.of(
                "Kafka at %s, Flink at %s".formatted(kafka.bootstrapServers(), job.webUrl()),
                "Model %s, %s"
                    .formatted(
                        checkpoint.toAbsolutePath().normalize().getFileName(),
                        Text.plural(prompts.size(), "prompt"))));
        return runThrough(job, prompts, stop);
      }
    }
  }

  private Configuration configuration(Path checkpoint) {
    Configuration config = new Configuration();
    config.set(KafkaOptions.BOOTSTRAP_SERVERS, kafkaArguments.bootstrapServers());
    config.set(FlinferOptions.MODEL, checkpoint.toAbsolutePath().toString());
    config.set(FlinferOptions.THROUGHPUT_INTERVAL, THROUGHPUT_INTERVAL);
    config.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, CHECKPOINT_INTERVAL);
    // A failure here would repeat after a restart; it is better to report it at once.
    config.set(RestartStrategyOptions.RESTART_STRATEGY, "none");
    engineArguments.addTo(config);
    return config;
  }

  private int runThrough(LocalJob job, Map<String, Prompt> prompts, StopSignal stop)
      throws IOException {
    Tally tally = new Tally(prompts.keySet());
    Map<String, Long> records;
    long start = console.nanoTime().getAsLong();
    double seconds;
    try (Readback readback = new Readback(kafkaArguments, tally)) {
      send(prompts.values());
      awaitAnswers(job, readback, tally, prompts.size(), stop);
      if (stop.isRequested()) {
        console.say("flinfer: stopped");
        return stop.exitCode();
      }
      seconds = (console.nanoTime().getAsLong() - start) / 1e9;
      if (tally.allAnswered() && !keep) {
        job.drain(DRAIN_TIMEOUT);
      }
      readback.readToEnd();
      records = readback.records();
    }
    report(tally, prompts, records, seconds);
    List<String> problems = tally.problems();
    problems.forEach(problem -> console.say("flinfer: " + problem));
    if (keep) {
      keepUp(job, stop);
    }
    return problems.isEmpty() ? 0 : 1;
  }

  private void send(Collection<Prompt> prompts) throws IOException {
    try (RecordSender sender = new RecordSender(kafkaArguments, Readback.PROMPTS)) {
      for (Prompt prompt : prompts) {
        sender.send(
            new RequestEncoder.Encoded(
                prompt.id().getBytes(StandardCharsets.UTF_8),
                prompt.line().getBytes(StandardCharsets.UTF_8)));
      }
      sender.flush();
    }
  }

  private void awaitAnswers(
      LocalJob job, Readback readback, Tally tally, long total, StopSignal stop) {
    StallWatch watch = new StallWatch(console, STALLED_MINUTES);
    try (ProgressPrinter progress = new ProgressPrinter(console, "prompts", total)) {
      while (!tally.allAnswered() && !stop.isRequested() && !job.hasEnded()) {
        readback.poll();
        progress.update(tally.answered());
        if (watch.hasStalled(tally.answered())) {
          return;
        }
      }
    }
  }

  private void report(
      Tally tally, Map<String, Prompt> prompts, Map<String, Long> records, double seconds) {
    console.print(List.of(""));
    console.print(Report.table(tally, prompts.values(), seconds));
    console.print(List.of("", "Examples"));
    console.print(Report.examples(Prompts.examples(prompts), tally.completions()));
    console.print(List.of("", "Topics"));
    console.print(Report.topics(records));
    console.print(List.of(""));
    if (model == null) {
      console.print(Report.realWeights());
    }
  }

  private void keepUp(LocalJob job, StopSignal stop) {
    console.print(List.of(""));
    console.print(
        Report.keep(
            kafkaArguments.bootstrapServers(),
            Readback.PROMPTS,
            Readback.COMPLETIONS,
            job.webUrl()));
    while (!stop.await(Duration.ofSeconds(1))) {
      if (job.hasEnded()) {
        throw new UserError("the job has ended; Flink's log is " + console.log());
      }
    }
    console.say("flinfer: stopping");
  }
}

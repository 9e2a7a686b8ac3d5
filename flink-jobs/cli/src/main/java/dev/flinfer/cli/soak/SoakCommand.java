package dev.flinfer.cli.soak;

import dev.flinfer.cli.Console;
import dev.flinfer.cli.DemoModel;
import dev.flinfer.cli.Directories;
import dev.flinfer.cli.EngineArguments;
import dev.flinfer.cli.Prompts;
import dev.flinfer.cli.Prompts.Prompt;
import dev.flinfer.cli.StallWatch;
import dev.flinfer.cli.UsageError;
import dev.flinfer.cli.kafka.KafkaArguments;
import dev.flinfer.cli.kafka.Readback;
import dev.flinfer.cli.kafka.RecordSender;
import dev.flinfer.cli.local.EmbeddedKafka;
import dev.flinfer.cli.local.StopSignal;
import dev.flinfer.cli.state.StateDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "soak",
    description =
        "Run the job against a broker in this process while its TaskManager is killed, it is"
            + " rescaled and invalid records are sent, and account for every record.",
    footer = {
      "",
      "The completions are compared with those of an undisturbed engine. Exit code 0",
      "means that no outcome is duplicated, lost or changed, and that the throughput",
      "topic matches the other topics.",
      "",
      "Examples:",
      "  flinfer soak --minutes 5",
      "  flinfer soak --processes --minutes 30"
    })
public final class SoakCommand implements Callable<Integer> {
  private static final int DISTINCT_PROMPTS = 200;
  private static final int MAX_OUTSTANDING = 400;
  private static final int PARTITIONS = 4;
  private static final int MAX_NAMED = 10;
  private static final Duration REPORT = Duration.ofSeconds(10);
  private static final int STALLED_MINUTES = 3;

  private final Console console;

  @Option(
      names = "--minutes",
      paramLabel = "N",
      description = "How long to send and to disturb, in minutes; may be a fraction (default: 5).")
  private double minutes = 5;

  @Option(
      names = "--seed",
      paramLabel = "S",
      description = "Seed of the records and the disturbances (default: random, and printed).")
  private Long seed;

  @Option(
      names = "--model",
      paramLabel = "PATH",
      description = "GGUF file or model directory (default: the demo model).")
  private Path model;

  @Option(
      names = "--processes",
      arity = "0..1",
      fallbackValue = "CLUSTER",
      paramLabel = "LAYOUT",
      description =
          "Kill, freeze and cut off separate processes instead: a broker and a JobManager with"
              + " TaskManagers (cluster, the default) or a `run` (run).")
  private SoakCluster.Layout layout;

  @Mixin private EngineArguments engineArguments;

  private KafkaArguments kafkaArguments;
  private final Ledger ledger = new Ledger();
  private long start;

  public SoakCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    if (!(minutes > 0)) {
      throw new UsageError("--minutes is %s; it must be more than 0".formatted(minutes));
    }
    long chosen = seed == null ? System.nanoTime() & 0xffffff : seed;
    DemoModel demo = DemoModel.of(console);
    Path checkpoint = demo.unless(model);
    List<String> texts =
        Prompts.read(demo.heldOut(), DISTINCT_PROMPTS).values().stream().map(Prompt::text).toList();
    console.say(
        "flinfer: soak of %s min, --seed %d, log: %s".formatted(minutes, chosen, console.log()));
    SoakPrompts prompts = SoakPrompts.answered(engineArguments.forModel(checkpoint), texts, chosen);
    Path directory = Files.createTempDirectory("flinfer-soak");
    if (layout != null) {
      return ofProcesses(checkpoint, prompts, directory, chosen);
    }
    try (StopSignal stop = StopSignal.install();
        EmbeddedKafka kafka = EmbeddedKafka.start()) {
      kafkaArguments = KafkaArguments.of(kafka.bootstrapServers());
      kafka.createTopics(PARTITIONS, Readback.TOPICS.toArray(String[]::new));
      start = console.nanoTime().getAsLong();
      try (StateDirectory state = StateDirectory.open(directory);
          SoakJob job =
              SoakJob.start(
                  kafka.bootstrapServers(),
                  checkpoint,
                  engineArguments,
                  state,
                  new Random(chosen),
                  event -> console.say("flinfer: %4d s  %s".formatted(seconds(), event)))) {
        return run(job, prompts, stop, new Random(chosen));
      }
    } finally {
      Directories.delete(directory);
    }
  }

  private int ofProcesses(Path checkpoint, SoakPrompts prompts, Path directory, long chosen)
      throws IOException {
    try (StopSignal stop = StopSignal.install();
        SoakCluster cluster =
            SoakCluster.start(layout, directory, checkpoint, engineArguments, this::log)) {
      FaultPlan plan =
          new FaultPlan(cluster.faults(), new Random(chosen), ProcessSoak.maxHold(minutes));
      return new ProcessSoak(console, cluster, prompts, plan, stop).run(minutes);
    } finally {
      Directories.delete(directory);
    }
  }

  /** The log of a process is next to that of this one. */
  private String log(String process) {
    return console.log().replaceFirst("(\\.log)?$", "-" + process + ".log");
  }

  private int run(SoakJob job, SoakPrompts prompts, StopSignal stop, Random random)
      throws IOException {
    try (Readback readback = new Readback(kafkaArguments, ledger)) {
      disturb(job, prompts, readback, stop, random);
      if (!stop.isRequested()) {
        console.say("flinfer: %4d s  waiting for the last outcomes".formatted(seconds()));
        awaitAll(job, readback, stop);
      }
      if (stop.isRequested()) {
        console.say("flinfer: stopped");
        return stop.exitCode();
      }
      job.drain();
      readback.readToEnd();
    }
    return report(job);
  }

  /** Sends records and disturbs the job until the time is over. */
  private void disturb(
      SoakJob job, SoakPrompts prompts, Readback readback, StopSignal stop, Random random)
      throws IOException {
    long end = start + (long) (minutes * TimeUnit.MINUTES.toNanos(1));
    long next = start + pause(random);
    long reported = start;
    try (RecordSender sender = new RecordSender(kafkaArguments, Readback.PROMPTS)) {
      for (long now = start; now < end && !stop.isRequested(); now = now()) {
        while (ledger.sent() - ledger.outcomes() < MAX_OUTSTANDING) {
          sender.send(prompts.next(ledger));
        }
        readback.poll();
        if (now >= next) {
          job.disturb();
          next = now() + pause(random);
        }
        if (now - reported > REPORT.toNanos()) {
          reported = now;
          console.say(
              "flinfer: %4d s  %d answered of %d sent"
                  .formatted(seconds(), ledger.outcomes(), ledger.sent()));
        }
      }
      sender.flush();
    }
  }

  /** Usually long enough for a restart, and sometimes so short that it hits the restart. */
  private static long pause(Random random) {
    return TimeUnit.MILLISECONDS.toNanos(2000 + random.nextInt(10_000));
  }

  private void awaitAll(SoakJob job, Readback readback, StopSignal stop) {
    StallWatch watch = new StallWatch(console, STALLED_MINUTES);
    while (ledger.outcomes() < ledger.sent() && !stop.isRequested() && !job.hasEnded()) {
      readback.poll();
      if (watch.hasStalled(ledger.outcomes())) {
        return;
      }
    }
  }

  private int report(SoakJob job) {
    console.print(
        List.of(
            job.disturbances() + " in " + seconds() + " s", ledger.counts(), ledger.toString()));
    ledger.problems(MAX_NAMED).forEach(line -> console.say("flinfer: " + line));
    if (!ledger.reconciles()) {
      console.say("flinfer: the throughput topic does not match the other topics");
    }
    return ledger.isClean() && ledger.reconciles() ? 0 : 1;
  }

  private long now() {
    return console.nanoTime().getAsLong();
  }

  private long seconds() {
    return TimeUnit.NANOSECONDS.toSeconds(now() - start);
  }
}

package dev.flinfer.cli.local;

import dev.flinfer.cli.Console;
import dev.flinfer.cli.EngineArguments;
import dev.flinfer.cli.Models;
import dev.flinfer.cli.Settings;
import dev.flinfer.cli.UsageError;
import dev.flinfer.cli.state.StateDirectory;
import dev.flinfer.flink.FlinferOptions;
import dev.flinfer.jobs.KafkaOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.apache.flink.configuration.Configuration;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
    name = "run",
    description = "Run the job on a Flink cluster in this process, against any Kafka.",
    footer = {
      "",
      "The topics must exist: prompts, completions, prompts-dlq and throughput, or",
      "those that the options name. Any option of the job and of Flink can be set with",
      "--set or -D, or in a --config file. --set overrides the other options, and",
      "these override the file.",
      "",
      "Ctrl-C finishes the requests in flight or, with --state, saves them there, and",
      "ends with exit code 130; a second Ctrl-C ends at once. The next run continues",
      "after them. If the process ends in any other way, requests in flight are lost",
      "without --state.",
      "",
      "Example:",
      "  flinfer run --bootstrap-servers localhost:9092 --model /path/to/phi-2 \\",
      "    --set flinfer.input.topic=questions --ui"
    })
public final class RunCommand implements Callable<Integer> {
  /** Names the system property with a directory for what outlives the process. */
  public static final String LASTING_DIRECTORY = "flinfer.lasting-directory";

  private final Console console;

  @Option(
      names = "--bootstrap-servers",
      paramLabel = "HOST:PORT",
      description = "Kafka brokers, separated by commas.")
  private String bootstrapServers;

  @Option(names = "--model", paramLabel = "PATH", description = Models.DESCRIPTION)
  private Path model;

  @Option(
      names = "--parallelism",
      paramLabel = "N",
      description = "Parallelism of the job; its subtasks share one engine (default: 1).")
  private int parallelism = 1;

  @Option(
      names = "--bounded",
      description = "End when the records now in the input topic are answered.")
  private boolean bounded;

  @Option(
      names = "--state",
      paramLabel = "DIR",
      description =
          "Keep checkpoints in DIR and continue from the newest, so that each prompt is answered"
              + " exactly once however the process ends.")
  private Path state;

  @Option(
      names = "--discard-state",
      description =
          "Delete the state in the --state directory and start at the consumer group's offsets."
              + " Requests that were in flight are lost.")
  private boolean discardState;

  @Option(
      names = "--ui",
      arity = "0..1",
      fallbackValue = "0",
      paramLabel = "PORT",
      description = "Print the address of Flink's web UI; without PORT, a free port is used.")
  private Integer ui;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "A file of options, one `key: value` per line.")
  private Path configFile;

  @Option(
      names = {"--set", "-D"},
      paramLabel = "KEY=VALUE",
      description = "Any option, such as flinfer.max-num-seqs=64; can be given several times.")
  private Map<String, String> settings = new LinkedHashMap<>();

  @Mixin private EngineArguments engineArguments;

  public RunCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() throws IOException {
    if (discardState && state == null) {
      throw new UsageError("--discard-state needs the directory: --state DIR");
    }
    try (StateDirectory opened = state == null ? null : StateDirectory.open(state)) {
      return run(opened);
    }
  }

  private int run(StateDirectory directory) throws IOException {
    Configuration config = configuration();
    require(config.get(KafkaOptions.BOOTSTRAP_SERVERS), "--bootstrap-servers HOST:PORT");
    Models.path(Path.of(require(config.get(FlinferOptions.MODEL), "--model PATH")));
    if (directory != null) {
      config = discardState ? directory.beginWithoutState(config) : directory.begin(config);
    }
    console.say("flinfer: starting Flink in this process (log: %s)".formatted(console.log()));
    try (StopSignal stop = StopSignal.install();
        LocalJob job = LocalJob.start(config, parallelism, ui == null ? 0 : ui)) {
      console.say(
          "flinfer: running; topic %s at %s to topic %s; Ctrl-C ends"
              .formatted(
                  config.get(KafkaOptions.INPUT_TOPIC),
                  config.get(KafkaOptions.BOOTSTRAP_SERVERS),
                  config.get(KafkaOptions.OUTPUT_TOPIC)));
      if (state == null) {
        console.say(
            "flinfer: a crash loses requests in flight or answers some of them twice; --state DIR"
                + " prevents that");
      }
      if (ui != null) {
        console.say("flinfer: Flink's web UI is at " + job.webUrl());
      }
      StatusPrinter status = new StatusPrinter(console);
      try (JobMonitor monitor =
          new JobMonitor(config, job.rest(), console.nanoTime(), status::failed)) {
        return new JobWatch(job, stop, directory, monitor, status).untilTheEnd();
      }
    }
  }

  private Configuration configuration() throws IOException {
    Configuration config = new Configuration();
    if (configFile != null) {
      config.addAll(Settings.ofFile(configFile));
    }
    if (bootstrapServers != null) {
      config.set(KafkaOptions.BOOTSTRAP_SERVERS, bootstrapServers);
    }
    if (model != null) {
      config.set(FlinferOptions.MODEL, model.toAbsolutePath().toString());
    }
    if (bounded) {
      config.set(KafkaOptions.BOUNDED, true);
    }
    engineArguments.addTo(config);
    config.addAll(Configuration.fromMap(settings));
    if (!config.contains(FlinferOptions.ADMISSION_JOURNAL_DIR)) {
      config.set(FlinferOptions.ADMISSION_JOURNAL_DIR, journal().toString());
    }
    return config;
  }

  /** Not where Flink would keep it, since its temporary files end with this process. */
  private Path journal() {
    Path lasting =
        state == null
            ? Path.of(System.getProperty(LASTING_DIRECTORY, System.getProperty("java.io.tmpdir")))
            : state;
    return lasting.toAbsolutePath().resolve("admission-journal");
  }

  private static String require(String value, String option) {
    if (value == null || value.isBlank()) {
      throw new UsageError(option + " is missing; give it here or in the --config file");
    }
    return value;
  }
}

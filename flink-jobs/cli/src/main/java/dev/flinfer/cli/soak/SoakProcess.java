package dev.flinfer.cli.soak;

import dev.flinfer.cli.Console;
import dev.flinfer.cli.Settings;
import dev.flinfer.cli.kafka.Readback;
import dev.flinfer.cli.local.EmbeddedKafka;
import dev.flinfer.cli.local.RunCommand;
import dev.flinfer.cli.state.StateDirectory;
import dev.flinfer.jobs.CompletionJob;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint;
import org.apache.flink.runtime.taskexecutor.TaskExecutorResourceUtils;
import org.apache.flink.runtime.taskexecutor.TaskManagerRunner;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.common.utils.Exit;
import picocli.CommandLine;

/** A process of {@code soak --processes}. It ends when the process that started it has ended. */
public final class SoakProcess {
  static final int PARTITIONS = 4;
  static final int PARALLELISM = 2;
  private static final Duration POLL = Duration.ofSeconds(2);

  private SoakProcess() {}

  /** Runs the process that the first argument names; the others are its files. */
  public static void main(String[] args) throws Exception {
    endWithParent();
    Path[] files = Arrays.stream(args).skip(1).map(Path::of).toArray(Path[]::new);
    switch (args[0]) {
      case "broker" -> broker(files[0], files[1], files[2]);
      case "run" -> run(files[0], files[1]);
      case "jobmanager" -> jobManager(files[0], files[1], files[2]);
      case "taskmanager" -> taskManager(files[0]);
      default -> throw new IllegalArgumentException(args[0]);
    }
  }

  /** The parent holds the other end of the standard input, which the system closes for it. */
  private static void endWithParent() {
    Thread thread =
        new Thread(
            () -> {
              try {
                while (System.in.read() >= 0) {
                  // nothing is sent
                }
              } catch (IOException e) {
                // closed
              }
              Runtime.getRuntime().halt(1);
            },
            "flinfer-soak-parent");
    thread.setDaemon(true);
    thread.start();
  }

  /** A broker, which ends itself on a failure as Kafka's own process does. */
  private static void broker(Path directory, Path settings, Path ready) throws IOException {
    Configuration all = Settings.ofFile(settings);
    int port = Integer.parseInt(all.toMap().get(SoakCluster.BROKER_PORT));
    int controllerPort = Integer.parseInt(all.toMap().get(SoakCluster.CONTROLLER_PORT));
    EmbeddedKafka kafka = EmbeddedKafka.start(directory, port, controllerPort, all.toMap());
    Exit.setExitProcedure((code, message) -> Runtime.getRuntime().halt(code));
    Exit.setHaltProcedure((code, message) -> Runtime.getRuntime().halt(code));
    if (!Files.exists(ready)) {
      kafka.createTopics(PARTITIONS, Readback.TOPICS.toArray(String[]::new));
      Files.createFile(ready);
    }
  }

  /** The command {@code run}, on the state of the one before. */
  private static void run(Path job, Path state) {
    System.exit(
        new CommandLine(new RunCommand(Console.ofProcess()))
            .execute("--config=" + job, "--state=" + state, "--parallelism=" + PARALLELISM));
  }

  /**
   * A JobManager with one job, which continues from the state of the one before. Without high
   * availability, which needs ZooKeeper or Kubernetes, that is the task of whoever starts it.
   */
  private static void jobManager(Path cluster, Path job, Path directory) throws Exception {
    Configuration flink = Settings.ofFile(cluster);
    try (StateDirectory state = StateDirectory.open(directory)) {
      Configuration config = state.begin(Settings.ofFile(job));
      config.addAll(flink);
      StandaloneSessionClusterEntrypoint jobManager = new StandaloneSessionClusterEntrypoint(flink);
      jobManager.startCluster();
      StreamExecutionEnvironment env = new StreamExecutionEnvironment(config); // not a local one
      env.setParallelism(PARALLELISM);
      CompletionJob.build(env, config);
      JobClient client = env.executeAsync();
      while (!hasEnded(client)) {
        TimeUnit.MILLISECONDS.sleep(POLL.toMillis());
      }
      System.err.println("the job has ended: " + client.getJobStatus().get());
      System.exit(1);
    }
  }

  private static boolean hasEnded(JobClient client) throws InterruptedException {
    try {
      return client
          .getJobStatus()
          .get(POLL.toSeconds(), TimeUnit.SECONDS)
          .isGloballyTerminalState();
    } catch (ExecutionException | TimeoutException e) {
      return false; // this process was frozen meanwhile
    }
  }

  private static void taskManager(Path cluster) throws IOException {
    TaskManagerRunner.runTaskManagerProcessSecurely(
        TaskExecutorResourceUtils.adjustForLocalExecution(Settings.ofFile(cluster)));
  }
}

package dev.flinfer.cli.local;

import dev.flinfer.cli.Directories;
import dev.flinfer.cli.Errors;
import dev.flinfer.cli.UserError;
import dev.flinfer.cli.state.StateDirectory;
import dev.flinfer.flink.EngineSupplier;
import dev.flinfer.jobs.CompletionJob;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.checkpoint.CheckpointException;
import org.apache.flink.runtime.checkpoint.CheckpointFailureReason;
import org.apache.flink.runtime.dispatcher.UnavailableDispatcherOperationException;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.ExceptionUtils;

/** The completion job on a Flink cluster in this process. */
public final class LocalJob implements AutoCloseable {
  private static final long STATUS_TIMEOUT_SECONDS = 30;
  private static final int STATUS_ATTEMPTS = 3;

  /** The maximum time to retry stopping a job that is still starting. */
  private static final int START_SECONDS = 60;

  /** The maximum time to wait until a job that restarts can save its state. */
  private static final int RESTART_SECONDS = 10;

  private final LocalCluster cluster;
  private final TaskManagerWatch taskManagers;
  private JobClient client;

  private LocalJob(LocalCluster cluster, JobClient client) {
    this.cluster = cluster;
    this.client = client;
    taskManagers = new TaskManagerWatch(cluster::taskManagers, cluster::addTaskManager);
  }

  /**
   * Starts cluster and job.
   *
   * @param webPort port of the web UI; 0 selects a free one
   */
  public static LocalJob start(Configuration config, int parallelism, int webPort) {
    return start(config, parallelism, parallelism, webPort);
  }

  /**
   * Starts cluster and job, with slots for a later, higher parallelism.
   *
   * @param slots the highest parallelism with which the job is {@link #submit submitted} later
   */
  public static LocalJob start(Configuration config, int parallelism, int slots, int webPort) {
    return start(config, environment(config, parallelism, EngineSupplier.shared()), slots, webPort);
  }

  /** Starts cluster and job, with one subtask and an existing engine. */
  public static LocalJob start(Configuration config, EngineSupplier engines) {
    return start(config, environment(config, 1, engines), 1, 0);
  }

  private static LocalJob start(
      Configuration config, StreamExecutionEnvironment env, int slots, int webPort) {
    LocalCluster cluster = LocalCluster.start(slots, webPort, clusterOptions(config));
    boolean submitted = false;
    try {
      LocalJob job = new LocalJob(cluster, cluster.submit(env));
      submitted = true;
      return job;
    } finally {
      if (!submitted) {
        cluster.close();
      }
    }
  }

  /** Flink's options, without the job's, which may contain passwords that the web UI would show. */
  private static Configuration clusterOptions(Configuration config) {
    Map<String, String> options = new HashMap<>(config.toMap());
    options.keySet().removeIf(key -> key.startsWith("flinfer."));
    return Configuration.fromMap(options);
  }

  private static StreamExecutionEnvironment environment(
      Configuration config, int parallelism, EngineSupplier engines) {
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(config);
    env.setParallelism(parallelism);
    CompletionJob.build(env, config, engines);
    return env;
  }

  /** Starts the job again after it has ended. */
  public void submit(Configuration config, int parallelism) {
    client = cluster.submit(environment(config, parallelism, EngineSupplier.shared()));
  }

  /** Terminates the TaskManager, as in a crash, and starts another. */
  public void replaceTaskManager() {
    cluster.replaceTaskManager();
  }

  public String webUrl() {
    return cluster.webUrl();
  }

  /** Returns where Flink gives the job's metrics and failures. */
  FlinkRest rest() {
    return new FlinkRest(cluster.webUrl(), client.getJobID().toString());
  }

  /**
   * Starts another TaskManager if the only one has ended.
   *
   * @return whether it started one
   */
  public boolean replaceLostTaskManager() {
    return taskManagers.check(System.nanoTime());
  }

  /**
   * Whether the job has ended.
   *
   * @throws UserError if it failed or was canceled; the message gives the reason
   */
  public boolean hasEnded() {
    JobStatus status = status();
    if (status == JobStatus.FAILED) {
      throw failure();
    }
    if (status == JobStatus.CANCELED) {
      throw new UserError(
          "the job was canceled from outside this command, through Flink's REST interface");
    }
    return status.isGloballyTerminalState();
  }

  /** Asks again, since time also passes while the process is stopped or its machine sleeps. */
  private JobStatus status() {
    for (int attempt = 1; ; attempt++) {
      try {
        return await(client.getJobStatus(), STATUS_TIMEOUT_SECONDS);
      } catch (UserError e) {
        if (attempt == STATUS_ATTEMPTS || !(e.getCause() instanceof TimeoutException)) {
          throw e;
        }
      }
    }
  }

  /**
   * Stops reading, finishes and commits the requests in flight, and ends the job.
   *
   * @throws UserError if that fails, also because the job does not run; it continues to try
   */
  public void drain(Duration timeout) throws IOException {
    Path savepoints = Files.createTempDirectory("flinfer-savepoint");
    try {
      if (!stopWithSavepoint(true, savepoints, timeout, START_SECONDS)) {
        throw new UserError(
            "the job did not run for %d s, so that the requests in flight were not finished; a next"
                    .formatted(START_SECONDS)
                + " run starts at the consumer group's offsets, after them");
      }
    } finally {
      Directories.delete(
          savepoints); // not needed: everything is committed, and it contains no request
    }
  }

  /**
   * Saves the requests in flight in a savepoint, and ends the job. A job that does not run, since
   * it restarts after a failure, has nothing that its last checkpoint lacks.
   *
   * @return whether there is a savepoint; otherwise the job continues to try to start
   * @throws UserError if that fails; the job continues to run
   */
  public boolean suspend(StateDirectory state, Duration timeout) {
    return stopWithSavepoint(false, state.savepoints(), timeout, RESTART_SECONDS);
  }

  private boolean stopWithSavepoint(
      boolean drain, Path directory, Duration timeout, int startSeconds) {
    for (int attempt = 1; ; attempt++) {
      try {
        await(
            client.stopWithSavepoint(
                drain, StateDirectory.flinkPath(directory), SavepointFormatType.DEFAULT),
            timeout.toSeconds());
        return true;
      } catch (UserError e) {
        if (!isStarting(e) || hasEnded()) {
          throw e;
        }
        if (attempt == startSeconds) {
          return false;
        }
        pause();
      }
    }
  }

  /** A job that is starting or restarting cannot take a savepoint yet. */
  private static boolean isStarting(UserError e) {
    boolean tasksStart =
        ExceptionUtils.findThrowable(e, CheckpointException.class)
            .map(CheckpointException::getCheckpointFailureReason)
            .filter(reason -> reason == CheckpointFailureReason.NOT_ALL_REQUIRED_TASKS_RUNNING)
            .isPresent();
    return tasksStart
        || ExceptionUtils.findThrowable(e, UnavailableDispatcherOperationException.class)
            .isPresent();
  }

  private static void pause() {
    try {
      TimeUnit.SECONDS.sleep(1);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UserError("interrupted", e);
    }
  }

  private UserError failure() {
    try {
      client.getJobExecutionResult().get(STATUS_TIMEOUT_SECONDS, TimeUnit.SECONDS);
      return new UserError("the job failed and Flink gives no reason");
    } catch (ExecutionException | TimeoutException e) {
      return new UserError("the job failed: " + Errors.rootMessage(e), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new UserError("interrupted", e);
    }
  }

  private static <T> T await(Future<T> future, long timeoutSeconds) {
    try {
      return future.get(timeoutSeconds, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw new UserError("Flink: " + Errors.rootMessage(e), e);
    } catch (TimeoutException e) {
      throw new UserError("Flink did not answer within %d s".formatted(timeoutSeconds), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UserError("interrupted", e);
    }
  }

  /** Cancels the job and stops the cluster. */
  @Override
  public void close() {
    cluster.close();
  }
}

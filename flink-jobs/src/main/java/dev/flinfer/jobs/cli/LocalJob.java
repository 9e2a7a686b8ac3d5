package dev.flinfer.jobs.cli;

import dev.flinfer.jobs.CompletionJob;
import dev.flinfer.jobs.LocalCluster;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** The completion job on a Flink cluster in this process. */
final class LocalJob implements AutoCloseable {
  private static final long STATUS_TIMEOUT_SECONDS = 30;

  private final LocalCluster cluster;
  private final JobClient client;

  private LocalJob(LocalCluster cluster, JobClient client) {
    this.cluster = cluster;
    this.client = client;
  }

  /**
   * Starts cluster and job.
   *
   * @param webPort port of the web UI; 0 takes a free one
   */
  static LocalJob start(Configuration config, int parallelism, int webPort) {
    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(config);
    env.setParallelism(parallelism);
    CompletionJob.build(env, config);
    LocalCluster cluster = LocalCluster.start(parallelism, webPort);
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

  String webUrl() {
    return cluster.webUrl();
  }

  /**
   * Whether the job has come to its end.
   *
   * @throws UserError if it failed; says why
   */
  boolean hasEnded() {
    JobStatus status = await(client.getJobStatus(), STATUS_TIMEOUT_SECONDS);
    if (status == JobStatus.FAILED) {
      throw failure();
    }
    return status.isGloballyTerminalState();
  }

  /**
   * Reads no more, finishes what is in the job, commits it, and ends: the next run with the same
   * consumer group goes on with the next record.
   */
  void drain(long timeoutSeconds) throws IOException {
    Path savepoints = Files.createTempDirectory("flinfer-savepoint");
    try {
      await(
          client.stopWithSavepoint(
              true, savepoints.toUri().toString(), SavepointFormatType.DEFAULT),
          timeoutSeconds);
    } finally {
      delete(savepoints);
    }
  }

  /** Nothing reads it: offsets and transactions are committed, and no request is in it. */
  private static void delete(Path directory) throws IOException {
    List<Path> paths;
    try (Stream<Path> walk = Files.walk(directory)) {
      paths = walk.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path path : paths) {
      Files.delete(path);
    }
  }

  private UserError failure() {
    try {
      client.getJobExecutionResult().get(STATUS_TIMEOUT_SECONDS, TimeUnit.SECONDS);
      return new UserError("the job failed and Flink does not say why");
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

  /** Cancels what runs and stops the cluster. */
  @Override
  public void close() {
    cluster.close();
  }
}

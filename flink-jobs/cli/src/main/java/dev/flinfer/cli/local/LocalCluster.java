package dev.flinfer.cli.local;

import java.net.URI;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.WebOptions;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.runtime.minicluster.MiniClusterJobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * A Flink cluster in this process, with its web UI on the loopback interface.
 *
 * <pre>{@code
 * try (LocalCluster cluster = LocalCluster.start(1)) {
 *   StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(config);
 *   CompletionJob.build(env, config);
 *   cluster.submit(env).getJobExecutionResult().get();
 * }
 * }</pre>
 *
 * The JVM needs {@code --add-opens=java.base/java.util=ALL-UNNAMED}. Jobs run with this process's
 * class loader, so that they share the engine.
 */
public final class LocalCluster implements AutoCloseable {
  private static final long CLOSE_TIMEOUT_SECONDS = 30;
  private static final String LOOPBACK = "127.0.0.1";

  private final MiniCluster cluster;
  private final String webUrl;
  private int taskManagers = 1;

  private LocalCluster(MiniCluster cluster, String webUrl) {
    this.cluster = cluster;
    this.webUrl = webUrl;
  }

  /**
   * Starts a cluster whose web UI is on a free port.
   *
   * @param slots the highest parallelism of a job, at least 1
   */
  public static LocalCluster start(int slots) {
    return start(slots, 0);
  }

  /**
   * Starts a cluster.
   *
   * @param slots the highest parallelism of a job, at least 1
   * @param webPort port of the web UI; 0 selects a free one
   * @throws IllegalStateException if it does not start, for example because the port is in use
   */
  public static LocalCluster start(int slots, int webPort) {
    return start(slots, webPort, new Configuration());
  }

  /** Starts a cluster with additional options. */
  public static LocalCluster start(int slots, int webPort, Configuration more) {
    Configuration configuration = new Configuration(more);
    configuration.set(RestOptions.ADDRESS, LOOPBACK);
    configuration.set(RestOptions.BIND_ADDRESS, LOOPBACK);
    configuration.set(RestOptions.PORT, webPort);
    configuration.set(RestOptions.BIND_PORT, Integer.toString(webPort));
    configuration.set(
        WebOptions.SUBMIT_ENABLE, false); // otherwise any local user can run code here
    // Kafka's producer threads briefly outlive their task.
    configuration.set(CoreOptions.CHECK_LEAKED_CLASSLOADER, false);
    MiniCluster cluster =
        new MiniCluster(
            new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(slots)
                .build());
    return new LocalCluster(cluster, startAndGetUrl(cluster, webPort));
  }

  private static String startAndGetUrl(MiniCluster cluster, int webPort) {
    try {
      cluster.start();
      URI address = cluster.getRestAddress().join();
      return address.toString();
    } catch (Exception e) { // start() declares nothing narrower
      cluster.closeAsync();
      throw new IllegalStateException(
          "The local Flink cluster does not start with its web UI on %s:%d: %s"
              .formatted(LOOPBACK, webPort, rootMessage(e)),
          e);
    }
  }

  private static String rootMessage(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root.getMessage() == null ? root.toString() : root.getMessage();
  }

  /** Returns the address of the web UI and of Flink's REST interface. */
  public String webUrl() {
    return webUrl;
  }

  /**
   * Starts the job that was built in the environment.
   *
   * @throws IllegalStateException if Flink refuses it; the message gives the reason
   */
  public JobClient submit(StreamExecutionEnvironment env) {
    try {
      var id = cluster.submitJob(env.getStreamGraph().getJobGraph()).join().getJobID();
      return new MiniClusterJobClient(
          id,
          cluster,
          LocalCluster.class.getClassLoader(),
          MiniClusterJobClient.JobFinalizationBehavior.NOTHING);
    } catch (CompletionException e) {
      throw new IllegalStateException("Flink refuses the job: " + rootMessage(e), e);
    }
  }

  /**
   * Terminates the TaskManager and everything that runs in it, which is a crash to the jobs, and
   * starts another. A job with a restart strategy continues there from its last checkpoint.
   */
  public synchronized void replaceTaskManager() {
    try {
      cluster.terminateTaskManager(taskManagers - 1).get(CLOSE_TIMEOUT_SECONDS, TimeUnit.SECONDS);
      taskManagers++;
      cluster.startTaskManager();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while replacing the TaskManager", e);
    } catch (Exception e) { // startTaskManager() declares nothing narrower
      throw new IllegalStateException(
          "The TaskManager of the local Flink cluster cannot be replaced: " + rootMessage(e), e);
    }
  }

  /** Cancels running jobs and stops the cluster. */
  @Override
  public void close() {
    try {
      cluster.closeAsync().get(CLOSE_TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException(
          "The local Flink cluster did not stop within %d s: %s"
              .formatted(CLOSE_TIMEOUT_SECONDS, rootMessage(e)),
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

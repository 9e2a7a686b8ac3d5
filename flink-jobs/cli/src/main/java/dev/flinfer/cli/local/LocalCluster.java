package dev.flinfer.cli.local;

import java.net.URI;
import java.time.Duration;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.JobManagerOptions;
import org.apache.flink.configuration.MetricOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.configuration.WebOptions;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.runtime.minicluster.MiniClusterJobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * A Flink cluster in this process. Its ports, those of the web UI and the BlobServer, are on the
 * loopback interface, and its REST interface can only be read.
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
  private static final Duration METRICS_INTERVAL = Duration.ofSeconds(1);
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
    configuration.set(JobManagerOptions.ADDRESS, LOOPBACK);
    configuration.set(JobManagerOptions.BIND_HOST, LOOPBACK); // the BlobServer's, too
    configuration.set(TaskManagerOptions.HOST, LOOPBACK);
    configuration.set(TaskManagerOptions.BIND_HOST, LOOPBACK);
    configuration.set(RestGuard.ENABLED, true);
    if (!more.contains(MetricOptions.METRIC_FETCHER_UPDATE_INTERVAL)) {
      configuration.set(MetricOptions.METRIC_FETCHER_UPDATE_INTERVAL, METRICS_INTERVAL);
    }
    configuration.set(WebOptions.SUBMIT_ENABLE, false);
    configuration.set(WebOptions.RESCALE_ENABLE, false);
    configuration.set(
        WebOptions.CANCEL_ENABLE, more.getOptional(WebOptions.CANCEL_ENABLE).orElse(false));
    // By default pages of all sites may read the REST interface; now only one of this machine's
    // port 80.
    configuration.set(WebOptions.ACCESS_CONTROL_ALLOW_ORIGIN, "http://" + LOOPBACK);
    // Kafka's producer threads briefly outlive their task.
    configuration.set(CoreOptions.CHECK_LEAKED_CLASSLOADER, false);
    MiniCluster cluster =
        new MiniCluster(
            new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(slots)
                .setCommonBindAddress(LOOPBACK)
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
  public void replaceTaskManager() {
    terminateTaskManager();
    addTaskManager();
  }

  /** Returns the number of TaskManagers that the cluster can run tasks on. */
  public int taskManagers() {
    try {
      return cluster
          .requestClusterOverview()
          .get(CLOSE_TIMEOUT_SECONDS, TimeUnit.SECONDS)
          .getNumTaskManagersConnected();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while counting the TaskManagers", e);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException(
          "The local Flink cluster does not give the number of its TaskManagers: " + rootMessage(e),
          e);
    }
  }

  /** Starts another TaskManager. Jobs that wait for one continue on it. */
  public synchronized void addTaskManager() {
    try {
      taskManagers++;
      cluster.startTaskManager();
    } catch (Exception e) { // startTaskManager() declares nothing narrower
      throw new IllegalStateException(
          "No TaskManager can be started in the local Flink cluster: " + rootMessage(e), e);
    }
  }

  /** Terminates the TaskManager and everything that runs in it, which is a crash to the jobs. */
  public synchronized void terminateTaskManager() {
    try {
      cluster.terminateTaskManager(taskManagers - 1).get(CLOSE_TIMEOUT_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while terminating the TaskManager", e);
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException(
          "The TaskManager of the local Flink cluster does not end: " + rootMessage(e), e);
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

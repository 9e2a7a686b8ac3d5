package dev.flinfer.flink;

import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Closes the resources of a task so that neither an exception nor a resource that blocks can end
 * the TaskManager. Flink treats an exception from the clean-up of a failed task as fatal, and also
 * a clean-up that takes longer than {@code task.cancellation.timeout} (180 s): it ends the
 * TaskManager with all jobs on it. What was not committed by then is written again after the
 * restart, so no failure here needs more than a line in the log.
 */
public final class TaskCleanup {
  private static final Logger LOG = LoggerFactory.getLogger(TaskCleanup.class);

  /**
   * For a client of Kafka. The job's source, three writers and three committers can be in one task;
   * together with the engine they stay below Flink's limit.
   */
  public static final Duration LIMIT = Duration.ofSeconds(10);

  private TaskCleanup() {}

  /** Closes a resource within {@link #LIMIT}; after that it is closed in the background. */
  public static void close(String name, AutoCloseable resource) {
    close(name, resource, LIMIT);
  }

  /**
   * Closes a resource. Exceptions are logged; an {@link Error} is thrown.
   *
   * @param name of the resource, for the log
   * @param limit the longest time to wait; after that the resource is closed in the background
   */
  public static void close(String name, AutoCloseable resource, Duration limit) {
    FutureTask<Void> closing =
        new FutureTask<>(
            () -> {
              resource.close();
              return null;
            });
    Thread thread = new Thread(closing, "flinfer-close " + name);
    thread.setDaemon(true);
    thread.start();
    try {
      closing.get(limit.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error) {
        throw (Error) e.getCause();
      }
      LOG.warn("Closing the {} failed, which loses nothing: {}", name, reason(e.getCause()));
      LOG.debug("Closing the {} failed", name, e.getCause());
    } catch (TimeoutException e) {
      LOG.warn(
          "Closing the {} takes longer than {} s and continues in the background",
          name,
          limit.toSeconds());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static String reason(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return root.toString();
  }
}

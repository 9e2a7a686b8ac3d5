package dev.flinfer.cli.local;

import java.time.Duration;
import java.util.function.IntSupplier;

/**
 * Starts another TaskManager when there has been none for a while. Flink ends a TaskManager by
 * itself after a failure that it calls fatal, and starts none in a process like this.
 */
final class TaskManagerWatch {
  /** One that the cluster only lost sight of, as after a pause of the process, is back by then. */
  private static final Duration PATIENCE = Duration.ofSeconds(10);

  private final IntSupplier count;
  private final Runnable add;
  private boolean missing;
  private long missingSince;

  /**
   * @param count number of TaskManagers
   * @param add starts another
   */
  TaskManagerWatch(IntSupplier count, Runnable add) {
    this.count = count;
    this.add = add;
  }

  /**
   * Checks, and starts a TaskManager if it is time.
   *
   * @return whether it started one
   */
  boolean check(long nowNanos) {
    if (count.getAsInt() > 0) {
      missing = false;
      return false;
    }
    if (!missing) {
      missing = true;
      missingSince = nowNanos;
      return false;
    }
    if (nowNanos - missingSince < PATIENCE.toNanos()) {
      return false;
    }
    missing = false;
    add.run();
    return true;
  }
}

package dev.flinfer.cli.soak;

/**
 * Measures the longest time without progress while there is work: in total, and not counting the
 * time in which a fault is in effect. The time before the first progress is that of starting. Pure;
 * in any unit of time.
 */
final class QuietTime {
  private long progress;
  private boolean idle;
  private long lastProgress;
  private long lastFault;
  private long quiet;
  private long longest;
  private long longestAfterFaults;

  QuietTime(long start) {
    lastProgress = start;
    lastFault = start;
  }

  /**
   * Notes the state at a time.
   *
   * @param soFar a number that grows with progress
   * @param hasWork without work, time does not count
   * @param inFault whether a fault is in effect
   */
  void at(long now, long soFar, boolean hasWork, boolean inFault) {
    if (idle) {
      lastProgress = now;
    }
    if (inFault) {
      lastFault = now;
    }
    quiet = now - Math.max(lastProgress, lastFault);
    if (progress > 0) {
      longest = Math.max(longest, now - lastProgress);
      longestAfterFaults = Math.max(longestAfterFaults, quiet);
    }
    idle = !hasWork;
    if (soFar != progress) {
      progress = soFar;
      lastProgress = now;
      quiet = 0;
    }
  }

  /** The time without progress until now, after the end of the last fault. */
  long quiet() {
    return quiet;
  }

  long longest() {
    return longest;
  }

  long longestAfterFaults() {
    return longestAfterFaults;
  }
}

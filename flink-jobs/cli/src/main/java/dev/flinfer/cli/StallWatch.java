package dev.flinfer.cli;

import java.util.concurrent.TimeUnit;

/** Gives up on a job that produces no outcome for a number of minutes. */
public final class StallWatch {
  private final Console console;
  private final int minutes;
  private long outcomes;
  private long lastChange;

  public StallWatch(Console console, int minutes) {
    this.console = console;
    this.minutes = minutes;
    this.lastChange = now();
  }

  /**
   * Returns whether the last outcome is longer ago than the limit, and prints that if so.
   *
   * @param outcomesSoFar number of outcomes by now
   */
  public boolean hasStalled(long outcomesSoFar) {
    if (outcomesSoFar != outcomes) {
      outcomes = outcomesSoFar;
      lastChange = now();
      return false;
    }
    if (now() - lastChange <= TimeUnit.MINUTES.toNanos(minutes)) {
      return false;
    }
    console.say(
        "flinfer: no outcome for %d minutes; giving up. Log: %s".formatted(minutes, console.log()));
    return true;
  }

  private long now() {
    return console.nanoTime().getAsLong();
  }
}

package dev.flinfer.cli.local;

import dev.flinfer.cli.Console;
import dev.flinfer.cli.TerminalLine;
import dev.flinfer.cli.Text;
import java.time.Duration;

/**
 * Shows how a running job is doing: on a terminal one line that is rewritten, elsewhere a line from
 * time to time. A failure of the job is told at once, and repeated ones once a minute with their
 * number.
 */
final class StatusPrinter {
  private static final long TERMINAL_INTERVAL = Duration.ofSeconds(1).toNanos();
  private static final long PLAIN_INTERVAL = Duration.ofSeconds(30).toNanos();

  /** Also a job that does nothing shows now and then that it is there. */
  private static final long IDLE_INTERVAL = Duration.ofMinutes(10).toNanos();

  private static final long FAILURE_INTERVAL = Duration.ofMinutes(1).toNanos();

  private final Console console;
  private final TerminalLine line;
  private String shown = "";
  private long shownAt;
  private long failureAt;
  private int failures;
  private String cause;

  StatusPrinter(Console console) {
    this.console = console;
    line = new TerminalLine(console);
    shownAt = console.nanoTime().getAsLong();
    failureAt = shownAt - FAILURE_INTERVAL;
  }

  synchronized void show(JobProgress progress) {
    long now = console.nanoTime().getAsLong();
    tellFailures(now);
    String text = progress.line();
    long elapsed = now - shownAt;
    if (console.terminal()) {
      if (elapsed >= TERMINAL_INTERVAL) {
        shownAt = now;
        line.show(text);
      }
    } else if (elapsed >= IDLE_INTERVAL || elapsed >= PLAIN_INTERVAL && !text.equals(shown)) {
      shownAt = now;
      shown = text;
      console.say("flinfer: " + text);
    }
  }

  /**
   * Tells of a failure after which the job restarts.
   *
   * @param reason a sentence
   */
  synchronized void failed(String reason) {
    failures++;
    cause = reason;
    tellFailures(console.nanoTime().getAsLong());
  }

  private void tellFailures(long now) {
    if (failures == 0 || now - failureAt < FAILURE_INTERVAL) {
      return;
    }
    String times =
        failures == 1
            ? ""
            : " %d times in %s".formatted(failures, Text.duration((now - failureAt) / 1e9));
    failures = 0;
    failureAt = now;
    say("flinfer: the job failed%s and restarts: %s".formatted(times, cause));
  }

  synchronized void say(String message) {
    line.clear();
    console.say(message);
  }

  /** Erases the line on the terminal. */
  synchronized void clear() {
    line.clear();
  }
}

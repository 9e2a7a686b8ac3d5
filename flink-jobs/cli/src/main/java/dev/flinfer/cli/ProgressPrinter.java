package dev.flinfer.cli;

import java.util.concurrent.TimeUnit;

/**
 * Shows progress on standard error: one line that is rewritten on a terminal, or a line every few
 * seconds if it is not a terminal. Not thread-safe.
 */
public final class ProgressPrinter implements AutoCloseable {
  private static final long TERMINAL_INTERVAL = TimeUnit.MILLISECONDS.toNanos(200);
  private static final long PLAIN_INTERVAL = TimeUnit.SECONDS.toNanos(5);

  private final Console console;
  private final Progress progress;
  private final TerminalLine line;
  private final long interval;
  private long lastPrinted;

  /**
   * @param total the number of things counted; 0 if it is unknown
   */
  public ProgressPrinter(Console console, String what, long total) {
    this.console = console;
    long now = console.nanoTime().getAsLong();
    this.progress = new Progress(what, total, now);
    this.line = new TerminalLine(console);
    this.interval = console.terminal() ? TERMINAL_INTERVAL : PLAIN_INTERVAL;
    this.lastPrinted = now;
    if (console.terminal()) {
      line.show(progress.line(0, now));
    }
  }

  /** Shows the progress if the last update is long enough ago. */
  public void update(long done) {
    long now = console.nanoTime().getAsLong();
    if (now - lastPrinted < interval) {
      return;
    }
    lastPrinted = now;
    String text = progress.line(done, now);
    if (console.terminal()) {
      line.show(text);
    } else {
      console.say(text);
    }
  }

  /** Erases the line from the terminal, so that something else can be written there. */
  public void clear() {
    line.clear();
  }

  @Override
  public void close() {
    clear();
  }
}

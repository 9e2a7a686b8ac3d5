package dev.flinfer.jobs.cli;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import sun.misc.Signal;

/**
 * Ctrl-C, and a polite kill. The first asks the command to end, the second ends the process at
 * once. Not a shutdown hook: those of Flink run beside it and take away what is being stopped.
 */
final class StopSignal {
  private static final int EXIT_BASE = 128;

  private final CountDownLatch requested = new CountDownLatch(1);
  private volatile int exitCode;

  /** Takes the signals over for the rest of the process's life. */
  static StopSignal install() {
    StopSignal stop = new StopSignal();
    for (String name : new String[] {"INT", "TERM"}) {
      Signal.handle(new Signal(name), signal -> stop.raise(EXIT_BASE + signal.getNumber()));
    }
    return stop;
  }

  void raise(int code) {
    if (requested.getCount() == 0) {
      Runtime.getRuntime().halt(code);
    }
    exitCode = code;
    requested.countDown();
  }

  boolean isRequested() {
    return requested.getCount() == 0;
  }

  /** What a shell expects of a process that a signal ended: 130 for Ctrl-C. */
  int exitCode() {
    return exitCode;
  }

  /** Waits that long, or until it is requested; returns whether it is. */
  boolean await(Duration time) {
    try {
      return requested.await(time.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UserError("interrupted", e);
    }
  }
}

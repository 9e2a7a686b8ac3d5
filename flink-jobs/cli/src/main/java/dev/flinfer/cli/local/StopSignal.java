package dev.flinfer.cli.local;

import dev.flinfer.cli.UserError;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import sun.misc.Signal;
import sun.misc.SignalHandler;

/**
 * Handles SIGINT (Ctrl-C) and SIGTERM. The first signal asks the command to end, the second ends
 * the process at once. This is not a shutdown hook, because Flink's hooks would run at the same
 * time and close what the command is stopping.
 */
public final class StopSignal implements AutoCloseable {
  private static final int EXIT_BASE = 128;

  private final CountDownLatch requested = new CountDownLatch(1);
  private final Map<Signal, SignalHandler> previous = new HashMap<>();
  private volatile int exitCode;

  /** Handles the signals until it is closed. */
  public static StopSignal install() {
    StopSignal stop = new StopSignal();
    for (Signal signal : List.of(new Signal("INT"), new Signal("TERM"))) {
      stop.previous.put(signal, Signal.handle(signal, stop::raised));
    }
    return stop;
  }

  private void raised(Signal signal) {
    int code = EXIT_BASE + signal.getNumber();
    if (isRequested()) {
      Runtime.getRuntime().halt(code);
    }
    exitCode = code;
    requested.countDown();
  }

  @Override
  public void close() {
    previous.forEach(Signal::handle);
  }

  public boolean isRequested() {
    return requested.getCount() == 0;
  }

  /** Returns the exit code for a process that a signal ended: 130 for Ctrl-C. */
  public int exitCode() {
    return exitCode;
  }

  /** Waits until a stop is requested or the time is over; returns whether it is requested. */
  public boolean await(Duration time) {
    try {
      return requested.await(time.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UserError("interrupted", e);
    }
  }
}

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
 * Ctrl-C, and a polite kill. The first asks the command to end, the second ends the process at
 * once. Not a shutdown hook: those of Flink run beside it and take away what is being stopped.
 */
public final class StopSignal implements AutoCloseable {
  private static final int EXIT_BASE = 128;

  private final CountDownLatch requested = new CountDownLatch(1);
  private final Map<Signal, SignalHandler> previous = new HashMap<>();
  private volatile int exitCode;

  /** Takes the signals over until it is closed. */
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

  /** What a shell expects of a process that a signal ended: 130 for Ctrl-C. */
  public int exitCode() {
    return exitCode;
  }

  /** Waits that long, or until it is requested; returns whether it is. */
  public boolean await(Duration time) {
    try {
      return requested.await(time.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UserError("interrupted", e);
    }
  }
}

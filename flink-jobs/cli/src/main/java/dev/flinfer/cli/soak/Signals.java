package dev.flinfer.cli.soak;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A shell that acts on a process until it is closed, and then undoes that. It undoes it also when
 * this process is killed, so that no stopped process is left behind.
 */
final class Signals implements AutoCloseable {
  /** Ctrl-C in a terminal is also sent to the shell. */
  private static final String SHELL = "trap '' INT HUP TERM; pid=$1; ";

  private static final String FREEZE = "kill -STOP $pid; read x; kill -CONT $pid";

  /** The process runs for a fifth of the time. */
  private static final String SLOW_DOWN =
      "(while kill -STOP $pid; do sleep 0.4; kill -CONT $pid; sleep 0.1; done) & loop=$!;"
          + " read x; kill -9 $loop; kill -CONT $pid";

  private static final String FILL_DISK =
      "prlimit --pid $pid --fsize=0:; read x; prlimit --pid $pid --fsize=unlimited:";

  private final Process shell;

  private Signals(String script, long pid) {
    try {
      shell =
          new ProcessBuilder("sh", "-c", SHELL + script, "sh", Long.toString(pid))
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD) // the process may have ended
              .start();
    } catch (IOException e) {
      throw new UncheckedIOException("No shell can be started", e);
    }
  }

  /** Stops the process, as if its machine stood still. */
  static Signals freeze(long pid) {
    return new Signals(FREEZE, pid);
  }

  /** Stops the process for most of the time. */
  static Signals slowDown(long pid) {
    return new Signals(SLOW_DOWN, pid);
  }

  /** Lets each write fail that makes a file longer, as on a full disk. */
  static Signals fillDisk(long pid) {
    return new Signals(FILL_DISK, pid);
  }

  /** Whether {@link #fillDisk} works here: prlimit is a tool of Linux. */
  static boolean canFillDisk() {
    try {
      Process process = new ProcessBuilder(List.of("prlimit", "--version")).start();
      return process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Override
  public void close() {
    try {
      shell.getOutputStream().close();
      if (!shell.waitFor(10, TimeUnit.SECONDS)) {
        shell.destroyForcibly();
      }
    } catch (IOException e) {
      shell.destroyForcibly(); // it has ended
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

package dev.flinfer.cli.soak;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A process that is started again whenever it has ended, unless a fault keeps it down. */
final class Child implements AutoCloseable {
  /** How long a supervisor such as Kubernetes waits at least. */
  private static final long RESTART_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final String name;
  private final List<String> command;
  private final Path log;
  private Process process;
  private boolean keptDown;
  private boolean ended;
  private long endedAt;
  private int ends;

  /**
   * @param log receives the process's output and its log
   */
  Child(String name, List<String> command, Path log) {
    this.name = name;
    this.command = command;
    this.log = log;
  }

  String name() {
    return name;
  }

  Path log() {
    return log;
  }

  void start() {
    File file = log.toFile();
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(file))
            .redirectError(ProcessBuilder.Redirect.appendTo(file));
    builder.environment().put("FLINFER_LOG", log.toString());
    builder.environment().remove("FLINFER_TERMINAL");
    try {
      process = builder.start(); // its standard input ends with this process: see SoakProcess
    } catch (IOException e) {
      throw new UncheckedIOException(name + " cannot be started", e);
    }
    ended = false;
  }

  long pid() {
    return process.pid();
  }

  boolean isAlive() {
    return process.isAlive();
  }

  /** Kills the process with SIGKILL, and keeps it down. */
  void kill() {
    keepDown();
    process.destroyForcibly();
    await();
  }

  /** If the process ends, it is not started again before {@link #release}. */
  void keepDown() {
    keptDown = true;
  }

  void release() {
    keptDown = false;
    if (!process.isAlive()) {
      start();
    }
  }

  /**
   * Starts the process again if it has ended by itself.
   *
   * @return whether it has ended since the last call
   */
  boolean restartIfEnded(long now) {
    if (keptDown || process.isAlive()) {
      return false;
    }
    if (!ended) {
      ended = true;
      endedAt = now;
      ends++;
      return true;
    }
    if (now - endedAt >= RESTART_NANOS) {
      start();
    }
    return false;
  }

  /** The exit code of the process that has ended. */
  int exitCode() {
    return process.exitValue();
  }

  /** How often it ended by itself. */
  int ends() {
    return ends;
  }

  private void await() {
    try {
      process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    if (process != null) {
      process.destroyForcibly();
      await();
    }
  }
}

package dev.flinfer.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.LongSupplier;

/**
 * The output streams, the clock and the surroundings of a command.
 *
 * @param out results; UTF-8 whatever the locale, since they are data
 * @param err progress and errors
 * @param terminal whether {@code err} is a terminal, where a line can be rewritten
 * @param home directory of the program, which contains the demo model
 * @param log the log file, for messages
 * @param nanoTime a monotonic clock, in nanoseconds
 */
public record Console(
    PrintStream out,
    PrintStream err,
    boolean terminal,
    Path home,
    String log,
    LongSupplier nanoTime) {

  private static final int WIDTH = 80;

  /**
   * The console of this process; the launcher sets environment variables for what Java cannot
   * query.
   */
  public static Console ofProcess() {
    boolean terminal = System.getenv("FLINFER_TERMINAL") != null;
    Path home = Path.of(System.getenv().getOrDefault("FLINFER_HOME", "."));
    String log = System.getenv().getOrDefault("FLINFER_LOG", "flinfer.log");
    PrintStream out =
        new PrintStream(
            new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16),
            false,
            StandardCharsets.UTF_8);
    PrintStream err =
        new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
    return new Console(out, err, terminal, home, log, System::nanoTime);
  }

  /**
   * Erases the JVM's one-line warning about incubator modules. The JVM prints it while it creates
   * the boot layer, before any class of the program is loaded, and no flag turns it off: the mark
   * that it reports is in the module's own file, and an archived boot layer, which would skip the
   * report, is not used with such a module. Where standard error is not a terminal the line stays,
   * since hiding it would hide errors of the JVM's start as well.
   */
  public void eraseIncubatorWarning() {
    if (terminal && ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()) {
      err.print("\033[1A\033[2K");
      err.flush();
    }
  }

  /** Prints results and flushes them, so that later messages follow them. */
  public void print(Iterable<String> lines) {
    lines.forEach(out::println);
    out.flush();
  }

  /** Prints a message to standard error; a terminal gets lines that fit. */
  public void say(String message) {
    if (terminal) {
      Text.fold(message, WIDTH).forEach(err::println);
    } else {
      err.println(message);
    }
  }

  /** Shows on a terminal what a command waits for, until it is closed. */
  public Status status(String what) {
    TerminalLine line = new TerminalLine(this);
    if (terminal) {
      line.show(what);
    }
    return line::clear;
  }

  /** What a terminal shows; see {@link #status}. */
  public interface Status extends AutoCloseable {
    @Override
    void close();
  }
}

package dev.flinfer.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.LongSupplier;

/**
 * Where a command writes and what time it is.
 *
 * @param out results; UTF-8 whatever the locale, since they are data
 * @param err progress and errors
 * @param terminal whether {@code err} is a terminal, where a line can be rewritten
 * @param home where the program lies, with its demo model
 * @param log the log file, for messages
 * @param nanoTime a clock that only goes forward, nanoseconds
 */
public record Console(
    PrintStream out,
    PrintStream err,
    boolean terminal,
    Path home,
    String log,
    LongSupplier nanoTime) {

  /** The process's own; the launcher says through the environment what Java cannot ask. */
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

  /** The JVM has no flag against its one line about incubator modules, so take it back. */
  public void eraseIncubatorWarning() {
    if (terminal && ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent()) {
      err.print("\033[1A\033[2K");
      err.flush();
    }
  }

  /** Prints results, before anything that is said later. */
  public void print(Iterable<String> lines) {
    lines.forEach(out::println);
    out.flush();
  }

  public void say(String message) {
    err.println(message);
  }
}

package dev.flinfer.cli;

import dev.flinfer.cli.main.Flinfer;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.LongSupplier;

/** A console whose output the test reads, and whose clock it can set. */
public final class RecordedConsole {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private long nanos;

  /** Creates a console whose time passes only by {@link #advanceMillis}. */
  public Console console(boolean terminal) {
    return console(terminal, () -> nanos);
  }

  private Console console(boolean terminal, LongSupplier clock) {
    return new Console(
        new PrintStream(out, true, StandardCharsets.UTF_8),
        new PrintStream(err, true, StandardCharsets.UTF_8),
        terminal,
        Path.of("..", ".."), // tests run in the module's directory
        "target/the.log",
        clock);
  }

  public void advanceMillis(long millis) {
    nanos += millis * 1_000_000;
  }

  /** Runs a command line and returns its exit code. */
  public int run(String... args) {
    return Flinfer.run(console(false, System::nanoTime), args);
  }

  public String out() {
    return out.toString(StandardCharsets.UTF_8);
  }

  public String err() {
    return err.toString(StandardCharsets.UTF_8);
  }
}

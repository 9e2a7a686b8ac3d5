package dev.flinfer.cli;

/** A line at the bottom of a terminal that is rewritten in place. Not thread-safe. */
public final class TerminalLine {
  /** A longer line would continue on a second one, which is not rewritten. */
  private static final int COLUMNS = 79;

  private final Console console;
  private boolean onScreen;

  public TerminalLine(Console console) {
    this.console = console;
  }

  /** Shows the text in place of the one before, as much as fits 80 columns. */
  public void show(String text) {
    String fitting = text.length() <= COLUMNS ? text : text.substring(0, COLUMNS);
    console.err().print("\r" + fitting + "\033[K");
    console.err().flush();
    onScreen = true;
  }

  /** Erases the line, so that something else can be written there. */
  public void clear() {
    if (onScreen) {
      console.err().print("\r\033[K");
      console.err().flush();
      onScreen = false;
    }
  }
}

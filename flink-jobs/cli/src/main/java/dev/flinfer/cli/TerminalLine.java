package dev.flinfer.cli;

/** A line at the bottom of a terminal that is rewritten in place. Not thread-safe. */
public final class TerminalLine {
  private final Console console;
  private boolean onScreen;

  public TerminalLine(Console console) {
    this.console = console;
  }

  /** Shows the text in place of the one before. */
  public void show(String text) {
    console.err().print("\r" + text + "\033[K");
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

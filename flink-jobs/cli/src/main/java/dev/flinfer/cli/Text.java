package dev.flinfer.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Numbers, durations and text formatted for display. */
public final class Text {
  private static final int MINUTE = 60;
  private static final int HOUR = 60 * MINUTE;

  private static final Pattern WORDS = Pattern.compile("\\s+");

  /** Begins each line of a message after its first. */
  private static final String CONTINUATION = "  ";

  private Text() {}

  /** Formats with thousands separators: {@code 1,234}. */
  public static String count(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  /** Formats to about three digits: {@code 1,234}, {@code 12.3}, {@code 0.123}. */
  public static String figure(double number) {
    double magnitude = Math.abs(number);
    if (magnitude >= 100 || magnitude == 0) {
      return count(Math.round(number));
    }
    return String.format(Locale.ROOT, magnitude >= 1 ? "%.1f" : "%.3f", number);
  }

  /** Formats a duration: {@code 12 s}, {@code 3 min 20 s}, {@code 2 h 5 min}. */
  public static String duration(double seconds) {
    long whole = Math.max(1, (long) Math.ceil(seconds));
    if (whole < MINUTE) {
      return whole + " s";
    }
    if (whole < HOUR) {
      return whole / MINUTE + " min " + whole % MINUTE + " s";
    }
    return count(whole / HOUR) + " h " + whole % HOUR / MINUTE + " min";
  }

  /** Formats a count with its noun: {@code 1 prompt}, {@code 2 prompts}. */
  public static String plural(long number, String noun) {
    return count(number) + " " + noun + (number == 1 ? "" : "s");
  }

  /**
   * Breaks a text between words into lines of at most the given width; a longer word gets its own
   * line.
   */
  public static List<String> wrap(String text, int width) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : WORDS.split(text.strip(), -1)) {
      if (!line.isEmpty() && line.length() + 1 + word.length() > width) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }

  /**
   * Breaks the lines of a message at spaces, so that a terminal does not break them within words.
   * Lines that begin with a space and text in backquotes stay as they are, so that a command in
   * them can be copied.
   */
  static List<String> fold(String message, int width) {
    List<String> lines = new ArrayList<>();
    for (String line : message.split("\n", -1)) {
      String rest = line;
      int end = rest.startsWith(" ") ? -1 : lastBreak(rest, width);
      while (end > 0) {
        lines.add(rest.substring(0, end));
        rest = CONTINUATION + rest.substring(end + 1);
        end = lastBreak(rest, width);
      }
      lines.add(rest);
    }
    return lines;
  }

  /** The last space at which a line can be broken to fit; -1 if it fits or has none. */
  private static int lastBreak(String line, int width) {
    if (line.length() <= width) {
      return -1;
    }
    int last = -1;
    boolean quoted = false;
    for (int i = 0; i < line.length() && (i <= width || last < 0); i++) {
      quoted ^= line.charAt(i) == '`';
      if (line.charAt(i) == ' ' && !quoted && i >= CONTINUATION.length()) {
        last = i;
      }
    }
    return last;
  }
}

package dev.flinfer.jobs.cli;

import java.util.Locale;

/** Numbers, durations and tables for people. */
final class Text {
  private static final int MINUTE = 60;
  private static final int HOUR = 60 * MINUTE;

  private Text() {}

  /** With thousands separators: {@code 1,234}. */
  static String count(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  /** Three digits' worth: {@code 1,234}, {@code 12.3}, {@code 0.123}. */
  static String figure(double number) {
    double magnitude = Math.abs(number);
    if (magnitude >= 100 || magnitude == 0) {
      return count(Math.round(number));
    }
    return String.format(Locale.ROOT, magnitude >= 1 ? "%.1f" : "%.3f", number);
  }

  /** {@code 12 s}, {@code 3 min 20 s}, {@code 2 h 5 min}. */
  static String duration(double seconds) {
    long whole = Math.max(1, (long) Math.ceil(seconds));
    if (whole < MINUTE) {
      return whole + " s";
    }
    if (whole < HOUR) {
      return whole / MINUTE + " min " + whole % MINUTE + " s";
    }
    return count(whole / HOUR) + " h " + whole % HOUR / MINUTE + " min";
  }

  /** {@code 1 prompt}, {@code 2 prompts}. */
  static String plural(long number, String noun) {
    return count(number) + " " + noun + (number == 1 ? "" : "s");
  }

  /** Its start on one line, and an ellipsis if there is more. */
  static String ellipsis(String text, int width) {
    String line = text.strip().replaceAll("\\s+", " ");
    return line.length() <= width ? line : line.substring(0, width - 3).stripTrailing() + "...";
  }
}

package dev.flinfer.engine;

import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Numbers of bytes as text, in the units of Flink's memory sizes. */
final class MemorySizes {
  private static final Pattern SIZE = Pattern.compile("(\\d{1,19})\\s*([a-z]*)");

  /** The names of the units, each 1024 times the one before it. */
  private static final List<List<String>> UNITS =
      List.of(
          List.of("bytes", "b", ""),
          List.of("kb", "k", "kibibytes"),
          List.of("mb", "m", "mebibytes"),
          List.of("gb", "g", "gibibytes"),
          List.of("tb", "t", "tebibytes"));

  private static final int BITS = 10;

  private MemorySizes() {}

  /**
   * @throws IllegalArgumentException if the text is not a number and a unit, or too large for a
   *     long
   */
  static long parse(String text) {
    Matcher size = SIZE.matcher(text.strip().toLowerCase(Locale.ROOT));
    if (size.matches()) {
      for (int unit = 0; unit < UNITS.size(); unit++) {
        if (UNITS.get(unit).contains(size.group(2))) {
          long count = Long.parseLong(size.group(1));
          if (count > Long.MAX_VALUE >> unit * BITS) {
            break;
          }
          return count << unit * BITS;
        }
      }
    }
    throw new IllegalArgumentException(text + " is not a memory size");
  }

  /** Formats a size in the largest unit in which it is a whole number. */
  static String format(long bytes) {
    int unit = 0;
    while (bytes != 0 && unit < UNITS.size() - 1 && (bytes >> unit * BITS) % (1 << BITS) == 0) {
      unit++;
    }
    return (bytes >> unit * BITS) + " " + UNITS.get(unit).get(0);
  }
}

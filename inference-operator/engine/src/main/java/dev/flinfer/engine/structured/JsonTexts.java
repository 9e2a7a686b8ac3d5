package dev.flinfer.engine.structured;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.flinfer.engine.structured.Characters.Way;
import java.util.List;

/** The parts of JSON as it is generated. */
final class JsonTexts {
  static final Node COMMA = regex(", ?");
  static final Node COLON = regex(": ?");

  /** Not longer than what a long or a double holds: digits must not continue indefinitely. */
  static final Node INTEGER = regex("-?(0|[1-9][0-9]{0,17})");

  static final Node NUMBER = Node.concat(INTEGER, regex("(\\.[0-9]{1,17})?([eE][+-]?[0-9]{1,3})?"));
  static final Node BOOLEAN = regex("true|false");
  static final Node NULL = regex("null");

  private static final Node QUOTE = regex("\"");
  private static final Node CHARACTER = character();

  private JsonTexts() {}

  /** A string of a number of characters. */
  static Node string(int min, int max) {
    return Node.concat(QUOTE, Node.repeat(CHARACTER, min, max), QUOTE);
  }

  /** A constant string, escaped only where it must be. */
  static String quote(String text) {
    return TextNode.valueOf(text).toString();
  }

  /** Whether a text has half a surrogate pair, which UTF-8 does not have. */
  static boolean hasLoneSurrogate(String text) {
    return text.codePoints()
        .anyMatch(c -> c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE);
  }

  /**
   * One character of a string: itself, an escape, or two escapes with the halves of a surrogate
   * pair. One half by itself would not be text, and two halves count as one character.
   */
  private static Node character() {
    Characters plain = (Characters) regex("[^\"\\\\\\x00-\\x1f]");
    int slash = (int) plain.size().states() + 1;
    int digits = slash + 1; // the four of an escape that is not half a pair
    int d = digits + 4; // after the digit d, with which halves of pairs begin as well
    int high = d + 1; // from the third digit of the first half
    int low = high + 2; // from the slash of the second half
    String hex = "09afAF";
    return plain.or(
        low + 4 - slash,
        List.of(
            new Way(0, "\\\\", slash),
            new Way(slash, "\"\"\\\\//bbffnnrrtt", 1),
            new Way(slash, "uu", digits),
            new Way(digits, "09acefACEF", digits + 1),
            new Way(digits + 1, hex, digits + 2),
            new Way(digits + 2, hex, digits + 3),
            new Way(digits + 3, hex, 1),
            new Way(digits, "ddDD", d),
            new Way(d, "07", digits + 2),
            new Way(d, "89abAB", high),
            new Way(high, hex, high + 1),
            new Way(high + 1, hex, low),
            new Way(low, "\\\\", low + 1),
            new Way(low + 1, "uu", low + 2),
            new Way(low + 2, "ddDD", low + 3),
            new Way(low + 3, "cfCF", digits + 2)));
  }

  private static Node regex(String regex) {
    return new RegexParser(regex).parse();
  }
}

package dev.flinfer.engine.structured;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Random regular expressions against the JDK's, over texts that they generate and others. */
final class RandomRegexTest {
  private static final String CHARACTERS = "abc1 -é€😀\n";
  private static final String[] ATOMS = {
    "a",
    "b",
    "c",
    "é",
    "€",
    "😀",
    "1",
    " ",
    "-",
    ".",
    "\\d",
    "\\W",
    "\\s",
    "[ab]",
    "[^a]",
    "[b-é]",
    "[\\d€-😀]",
    "\\.",
    "\\x61",
    "\\u20ac"
  };
  private static final String[] REPEATS = {
    "*", "+", "?", "{2}", "{0,2}", "{1,}", "{0}", "*?", "+?", "??", "{2}?", "{1,2}?", "{1,}?"
  };

  /** Reads a text for the JDK, which backtracks and could take forever. */
  private static final class Budget implements CharSequence {
    private final CharSequence text;
    private int left = 200_000;

    Budget(CharSequence text) {
      this.text = text;
    }

    @Override
    public char charAt(int index) {
      if (left-- == 0) {
        throw new IllegalStateException("too many steps");
      }
      return text.charAt(index);
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return text.subSequence(start, end);
    }

    @Override
    public String toString() {
      return text.toString();
    }
  }

  @Test
  void matchesAndGeneratesWhatTheJdkMatches() {
    int[] found = new int[2];
    int abandoned = 0;
    for (int seed = 0; seed < RandomTexts.TRIES; seed++) {
      Random random = new Random(seed);
      String regex = regex(random, 3);
      // In the JDK a dot would not match other line ends than a line feed either.
      Pattern expected = Pattern.compile(regex, Pattern.UNIX_LINES);
      ByteAutomaton automaton;
      try {
        automaton = ByteAutomaton.ofRegex(regex);
      } catch (PatternException e) {
        assertThat(e).as(regex).hasMessageContaining(" more than ");
        abandoned++;
        continue;
      }
      RandomTexts texts = new RandomTexts(automaton);
      for (int i = 0; i < 4; i++) {
        String text = texts.next(random);
        String other = RandomTexts.changed(text, CHARACTERS, random);
        assertThat(ByteAutomatonTest.matches(automaton, text)).isTrue();
        try {
          assertThat(matches(expected, text)).as("'%s' by %s", text, regex).isTrue();
          boolean matches = matches(expected, other);
          assertThat(ByteAutomatonTest.matches(automaton, other))
              .as("'%s' by %s", other, regex)
              .isEqualTo(matches);
          found[matches ? 1 : 0]++;
        } catch (IllegalStateException e) {
          abandoned++;
        }
      }
    }
    assertThat(found[0]).isGreaterThan(RandomTexts.TRIES);
    assertThat(found[1]).isGreaterThan(RandomTexts.TRIES / 4);
    assertThat(abandoned).isLessThan(RandomTexts.TRIES / 10);
  }

  private static boolean matches(Pattern pattern, String text) {
    return pattern.matcher(new Budget(text)).matches();
  }

  private static String regex(Random random, int depth) {
    StringBuilder regex = new StringBuilder();
    for (int parts = 1 + random.nextInt(3); parts > 0; parts--) {
      if (depth > 0 && random.nextInt(3) == 0) {
        regex.append(random.nextBoolean() ? "(" : "(?:").append(regex(random, depth - 1));
        regex.append(random.nextInt(3) == 0 ? "|" + regex(random, depth - 1) : "").append(')');
      } else {
        regex.append(ATOMS[random.nextInt(ATOMS.length)]);
      }
      regex.append(random.nextInt(3) == 0 ? REPEATS[random.nextInt(REPEATS.length)] : "");
    }
    return regex.append(random.nextInt(12) == 0 ? "|" : "").toString();
  }
}

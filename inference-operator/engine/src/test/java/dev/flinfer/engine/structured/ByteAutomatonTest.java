package dev.flinfer.engine.structured;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class ByteAutomatonTest {
  /** Against the JDK's own regular expressions, over random texts of the patterns' characters. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "abc",
        "a|bc|",
        "(a|b)*c",
        "a+b?c*",
        "(?:ab){2}",
        "(a|bc){1,3}",
        "(ab?){2,}",
        "a{0}b",
        "((a*)*b)*",
        "[ab-]+",
        "[^ab]",
        "[a-cé-ü]*",
        "[^\\x00-b]*",
        ".",
        "..é",
        "\\w+ \\d{1,2}",
        "\\S\\s\\D\\W",
        "[\\d\\-a]*",
        "€|😀|ü{2}",
        "[€-😀]",
        "\\u20ac\\.\\|",
        "^a(b|c)$",
        "a*?b",
        "a+?b",
        "(ab)+?c",
        "a{2}?",
        "a{1,}?|b??c",
        "[]a]+"
      })
  void matchesWhatTheJdkMatches(String regex) {
    // The JDK has no ']' at the beginning of a class, and anchors take part in its whole match.
    Pattern expected = Pattern.compile(regex.replace("[]a]", "[\\]a]"));
    ByteAutomaton automaton = ByteAutomaton.ofRegex(regex);
    Random random = new Random(9);
    String[] characters = {
      "a", "a", "b", "b", "c", "-", " ", "1", "é", "ü", "€", "😀", "\n", "_", ".", "|", "]"
    };
    for (int round = 0; round < 3000; round++) {
      StringBuilder text = new StringBuilder();
      for (int length = random.nextInt(7); length > 0; length--) {
        text.append(characters[random.nextInt(characters.length)]);
      }
      assertThat(matches(automaton, text.toString()))
          .as("'%s' by %s", text, regex)
          .isEqualTo(expected.matcher(text).matches());
    }
  }

  @Test
  void everyCodePointIsTakenAsItsBytes() {
    Random random = new Random(2);
    for (int round = 0; round < 300; round++) {
      int first = random.nextInt(1 << (7 + random.nextInt(14)));
      int last =
          Math.min(Character.MAX_CODE_POINT, first + random.nextInt(1 << random.nextInt(21)));
      if (isSurrogate(first) || isSurrogate(last)) {
        continue;
      }
      Node range = Characters.of(CodePoints.of(first, last).disjoint());
      ByteAutomaton automaton = Determinizer.of(range);
      for (int c : new int[] {first - 1, first, (first + last) / 2, last, last + 1}) {
        if (c >= 0 && c <= Character.MAX_CODE_POINT && !isSurrogate(c)) {
          assertThat(matches(automaton, Character.toString(c)))
              .as("%x in %x-%x", c, first, last)
              .isEqualTo(first <= c && c <= last);
        }
      }
    }
  }

  @Test
  void saysWhetherATextCanGoOn() {
    ByteAutomaton automaton = ByteAutomaton.ofRegex("ab?");
    int a = automaton.step(ByteAutomaton.START, (byte) 'a');
    assertThat(automaton.accepts(a)).isTrue();
    assertThat(automaton.goesOn(a)).isTrue();
    int b = automaton.step(a, (byte) 'b');
    assertThat(automaton.accepts(b)).isTrue();
    assertThat(automaton.goesOn(b)).isFalse();
    assertThat(automaton.step(b, (byte) 'b')).isEqualTo(ByteAutomaton.NONE);
    // Half a character is no text, and no dead end.
    ByteAutomaton euro = ByteAutomaton.ofRegex("€");
    int half = euro.step(ByteAutomaton.START, new byte[] {(byte) 0xe2, (byte) 0x82});
    assertThat(euro.accepts(half)).isFalse();
    assertThat(euro.goesOn(half)).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      value = {
        "ab(c ~ is invalid at position 2: '(' has no ')'",
        "ab)c ~ is invalid at position 2: ')' has no '('",
        "[ab ~ is invalid at position 0: '[' has no ']'",
        "a|*b ~ is invalid at position 2: '*' has nothing before it to repeat",
        "a{x} ~ is invalid at position 1: a number of repetitions must be from 0 to 1000",
        "a{1001} ~ is invalid at position 1: a number of repetitions must be from 0 to 1000",
        "a{3,2} ~ is invalid at position 1: {3,2} has a maximum below its minimum",
        "a{3 ~ is invalid at position 1: '{' must begin {m}, {m,} or {m,n}",
        "a(?=b) ~ is invalid at position 1: '(?' must be '(?:'",
        "a\\b ~ is invalid at position 1: '\\b' is not a supported escape",
        "\\1 ~ is invalid at position 0: '\\1' is not a supported escape",
        "a^b ~ is invalid at position 1: '^' may only be at the pattern's ends",
        "[z-a] ~ is invalid at position 1: the range ends before it begins",
        "[\\d-z] ~ is invalid at position 1: a range must begin and end with one character",
        "[^\\x00-\\u{10} ~ is invalid at position 7: an escape must have 4 hexadecimal digits",
        "\\ud800 ~ is invalid at position 0: the set contains no character",
        "a*+ ~ is invalid at position 2: '+' after a repetition would make it possessive",
        "(a{1000}){1000} ~ needs 1001001 states before it is made deterministic; the limit is 30000. Use fewer repetitions, or shorter parts",
        "(a|b)*a(a|b){14} ~ needs more than 30000 states; use fewer repetitions",
      })
  void namesThePlaceOrTheLimit(String regex, String message) {
    assertThatThrownBy(() -> ByteAutomaton.ofRegex(regex))
        .isInstanceOf(PatternException.class)
        .hasMessageStartingWith(message);
  }

  @Test
  void aLongTextOfAnyCharactersIsWithinTheLimits() {
    assertThat(matches(ByteAutomaton.ofRegex(".{1,1000}"), "é".repeat(1000))).isTrue();
    assertThat(matches(ByteAutomaton.ofRegex(".{1,1000}"), "é".repeat(1001))).isFalse();
  }

  @Test
  void limitsLengthDepthAndWork() {
    assertThatThrownBy(() -> ByteAutomaton.ofRegex("a".repeat(20_001)))
        .hasMessage("has 20001 characters; it may have at most 20000");
    assertThatThrownBy(() -> ByteAutomaton.ofRegex("(".repeat(5000)))
        .hasMessageContaining("groups are nested deeper than 100");
    assertThatThrownBy(() -> ByteAutomaton.ofRegex("(a?){1000}(b?){1000}(c?){1000}(d?){1000}"))
        .hasMessageStartingWith("takes more than 10000000 steps to prepare");
  }

  private static boolean isSurrogate(int c) {
    return c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
  }

  static boolean matches(ByteAutomaton automaton, String text) {
    int state = automaton.step(ByteAutomaton.START, text.getBytes(StandardCharsets.UTF_8));
    return state != ByteAutomaton.NONE && automaton.accepts(state);
  }
}

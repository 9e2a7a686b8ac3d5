package dev.flinfer.engine.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.tokenizer.Tokenizer;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class CompletionTextTest {
  /** Every token is a character; the rest at the end is "?". */
  private static final class Characters implements Tokenizer.IncrementalDecoder {
    @Override
    public String add(int token) {
      return Character.toString(token);
    }

    @Override
    public String finish() {
      return "?";
    }
  }

  @Test
  void endsBeforeTheStopString() {
    CompletionText text = text("STOP");

    assertThat(feed(text, "one STO two STOP three")).isEqualTo("one STO two ");
    assertThat(text.stopped()).isTrue();
    assertThat(text).hasToString("one STO two ");
  }

  @Test
  void theEarliestStopStringWins() {
    CompletionText text = text("cd", "bcd", "x");

    assertThat(feed(text, "abcd")).isEqualTo("a");
    assertThat(text).hasToString("a");
  }

  @Test
  void theStartOfAStopStringIsNotStreamed() {
    CompletionText text = text("END");

    text.add('a');
    text.add('E');
    text.add('N');
    assertThat(text.stream(false)).isEqualTo("a");
    text.add('x');
    assertThat(text.stream(false)).isEqualTo("E");
    text.finish();
    assertThat(text.stream(true)).isEqualTo("Nx?");
  }

  @Test
  void withoutStopStringsEverythingIsStreamedAtOnce() {
    CompletionText text = text();

    text.add('a');
    assertThat(text.stream(false)).isEqualTo("a");
    text.finish();
    assertThat(text.stream(true)).isEqualTo("?");
    assertThat(text).hasToString("a?");
  }

  @Test
  void streamingNeverSplitsASurrogatePair() {
    CompletionText text = text("ab");

    text.add(0x1F600);
    assertThat(text.stream(false)).isEmpty();
    text.add('x');
    assertThat(text.stream(false)).isEqualTo("😀");
  }

  @Test
  void keepsTheStopStringIfTheRequestIncludesIt() {
    CompletionText text = text(true, 0, "STOP", "TOP");

    text.add('S');
    assertThat(text.stream(false)).isEqualTo("S");
    assertThat(feed(text, "TOPx")).isEqualTo("TOP");
    assertThat(text).hasToString("STOP");
  }

  @Test
  void aStopStringWithinMinTokensIsIgnored() {
    CompletionText text = text(false, 3, "b", "cd");

    // The first b is among the first three tokens; cd ends after them.
    assertThat(feed(text, "abcd")).isEqualTo("ab");
    assertThat(text.stopped()).isTrue();
    CompletionText shorter = text(false, 3, "b", "longer");
    assertThat(feed(shorter, "abcdb")).isEqualTo("abcd");
  }

  private static CompletionText text(String... stop) {
    return text(false, 0, stop);
  }

  private static CompletionText text(boolean include, int minTokens, String... stop) {
    return new CompletionText(
        new Characters(),
        new StopConditions(new StopStrings(List.of(stop)), include, Set.of(), false, minTokens));
  }

  private static String feed(CompletionText text, String tokens) {
    StringBuilder streamed = new StringBuilder();
    for (int i = 0; i < tokens.length() && !text.stopped(); i++) {
      text.add(tokens.charAt(i));
      streamed.append(text.stream(false));
    }
    return streamed.append(text.stream(true)).toString();
  }
}

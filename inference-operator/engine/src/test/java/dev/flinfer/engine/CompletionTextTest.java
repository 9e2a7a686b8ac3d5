package dev.flinfer.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.tokenizer.Tokenizer;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CompletionTextTest {
  /** A token is a character; what is left at the end is "?". */
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
    CompletionText text = new CompletionText(new Characters(), List.of("cd", "bcd", "x"));

    assertThat(feed(text, "abcd")).isEqualTo("a");
    assertThat(text).hasToString("a");
  }

  @Test
  void whatMayBecomeAStopStringIsNotStreamed() {
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
    CompletionText text = new CompletionText(new Characters(), List.of());

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

  private static CompletionText text(String stop) {
    return new CompletionText(new Characters(), List.of(stop));
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

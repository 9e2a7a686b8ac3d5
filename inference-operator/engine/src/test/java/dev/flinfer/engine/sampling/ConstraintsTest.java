package dev.flinfer.engine.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.TinyEngine;
import dev.flinfer.engine.sampling.TextPattern.Form;
import dev.flinfer.engine.tokenizer.Tokenizer;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ConstraintsTest {
  private static final int VOCAB = 300;

  @TempDir Path directory;

  @Test
  void keepsTheMostRecentlyUsedPatternsUpToANumberOfBytes() {
    Constraints constraints = constraints();
    TokenMasks first = constraints.of(large(0));
    assertThat(constraints.of(large(0))).isSameAs(first);
    assertThat(first.automaton.bytes()).isBetween(1L << 20, 8L << 20);
    int enough = (int) ((64 << 20) / first.automaton.bytes());

    assertThat(enough).isLessThan(64);

    TokenMasks second = constraints.of(large(1));
    for (int i = 2; i <= enough; i++) {
      assertThat(constraints.of(large(0))).isSameAs(first);
      constraints.of(large(i));
    }

    assertThat(constraints.of(large(0))).isSameAs(first);
    assertThat(constraints.of(large(1))).isNotSameAs(second);
  }

  @Test
  void aRegexAndASchemaOfTheSameTextDiffer() {
    Constraints constraints = constraints();
    String text = "{\"type\":\"null\"}";
    assertThat(constraints.of(new TextPattern(Form.JSON, text))).isNotNull();
    assertThatThrownBy(() -> constraints.of(new TextPattern(Form.REGEX, text)))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageStartingWith(
            "structured_outputs.regex is invalid at position 0: '{' has nothing");
  }

  private Constraints constraints() {
    TinyEngine.write(directory);
    return new Constraints(Tokenizer.load(directory.resolve("tiny")), VOCAB);
  }

  private static TextPattern large(int i) {
    return new TextPattern(
        Form.JSON, "{\"type\":\"string\",\"minLength\":%d,\"maxLength\":1000}".formatted(i));
  }
}

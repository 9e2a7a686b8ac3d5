package dev.flinfer.engine.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.Requests;
import dev.flinfer.engine.TinyEngine;
import dev.flinfer.engine.sampling.TextPattern.Form;
import dev.flinfer.engine.structured.ByteAutomaton;
import dev.flinfer.engine.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ConstraintsTest {
  private static final int VOCAB = 300;

  @TempDir Path directory;
  private final List<Constraints> opened = new ArrayList<>();

  @Test
  void keepsTheMostRecentlyUsedPatternsUpToANumberOfBytes() {
    Constraints constraints = constraints(TextPattern::compile);
    TokenMasks first = of(constraints, large(0));
    assertThat(of(constraints, large(0))).isSameAs(first);
    assertThat(first.automaton.bytes()).isBetween(1L << 20, 8L << 20);
    int enough = (int) ((64 << 20) / first.automaton.bytes());

    assertThat(enough).isLessThan(64);

    TokenMasks second = of(constraints, large(1));
    for (int i = 2; i <= enough; i++) {
      assertThat(of(constraints, large(0))).isSameAs(first);
      of(constraints, large(i));
    }

    assertThat(of(constraints, large(0))).isSameAs(first);
    assertThat(of(constraints, large(1))).isNotSameAs(second);
  }

  @Test
  void aRegexAndASchemaOfTheSameTextDiffer() {
    Constraints constraints = constraints(TextPattern::compile);
    String text = "{\"type\":\"null\"}";
    assertThat(of(constraints, new TextPattern(Form.JSON, text))).isNotNull();
    assertThatThrownBy(() -> of(constraints, new TextPattern(Form.REGEX, text)))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageStartingWith(
            "structured_outputs.regex is invalid at position 0: '{' has nothing");
  }

  @Test
  void anInvalidPatternIsCompiledOnce() {
    List<TextPattern> compiled = new ArrayList<>();
    Constraints constraints =
        constraints(
            pattern -> {
              compiled.add(pattern);
              return pattern.compile();
            });
    TextPattern invalid = new TextPattern(Form.REGEX, "(");
    for (int i = 0; i < 2; i++) {
      assertThatThrownBy(() -> of(constraints, invalid))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessageStartingWith("structured_outputs.regex is invalid at position 0");
    }
    assertThat(compiled).containsExactly(invalid);
  }

  @Test
  void anErrorOfThePatternRejectsIt() {
    for (Throwable error :
        List.of(
            new StackOverflowError(),
            new OutOfMemoryError("Java heap space"),
            new IllegalStateException("a defect"))) {
      Constraints constraints = constraints(throwing(error, 3));
      assertThatThrownBy(() -> of(constraints, large(0)))
          .isInstanceOf(InvalidRequestException.class)
          .hasMessage(
              "structured_outputs.json cannot be compiled: " + error + ". Use a simpler pattern")
          .hasCause(error);
      assertThat(of(constraints, large(1))).isNotNull();
    }
  }

  @Test
  void aHeapThatIsFullForAMomentRejectsNothing() {
    assertThat(of(constraints(throwing(new OutOfMemoryError(), 2)), large(0))).isNotNull();
  }

  @Test
  void anErrorThatIsNotThePatternsFailsTheEnginesUserAndIsNotKept() {
    NoClassDefFoundError error = new NoClassDefFoundError("a/B");
    Constraints constraints = constraints(throwing(error, 1));

    assertThatThrownBy(() -> of(constraints, large(0)))
        .isInstanceOf(EngineException.class)
        .hasMessage("structured_outputs.json cannot be compiled: " + error)
        .hasCause(error);
    assertThat(of(constraints, large(0))).isNotNull();
  }

  /** Throws for the first pattern, a number of times. */
  private static Function<TextPattern, ByteAutomaton> throwing(Throwable error, int times) {
    AtomicInteger left = new AtomicInteger(times);
    return pattern -> {
      if (pattern.equals(large(0)) && left.getAndDecrement() > 0) {
        if (error instanceof Error e) {
          throw e;
        }
        throw (RuntimeException) error;
      }
      return pattern.compile();
    };
  }

  private Constraints constraints(Function<TextPattern, ByteAutomaton> compile) {
    TinyEngine.write(directory);
    Constraints constraints =
        new Constraints(Tokenizer.load(directory.resolve("tiny")), VOCAB, compile);
    opened.add(constraints);
    return constraints;
  }

  @AfterEach
  void close() {
    opened.forEach(Constraints::close);
  }

  /** The masks, or what the compilation failed with. */
  private static TokenMasks of(Constraints constraints, TextPattern pattern) {
    try {
      return constraints
          .of(pattern, new Requests.FutureListener(new CompletableFuture<>()))
          .get(30, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      throw (RuntimeException) e.getCause();
    } catch (InterruptedException | TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  private static TextPattern large(int i) {
    return new TextPattern(
        Form.JSON, "{\"type\":\"string\",\"minLength\":%d,\"maxLength\":1000}".formatted(i));
  }
}

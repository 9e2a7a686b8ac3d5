package dev.flinfer.engine.structured;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Patterns and schemas that would need too much are rejected before they take it. */
final class PatternBudgetTest {
  private static final int SMALL_STACK = 256 << 10;
  private static final long MAX_ALLOCATED = 100 << 20;
  private static final String STATES =
      " states before it is made deterministic; the limit is 30000";
  private static final String NULL = "{\"type\":\"null\"}";

  @Test
  void countsEmptyAlternativesBeforeTheyAreRepeated() {
    regex(
        "(" + "|".repeat(18_900) + "){1000}{9}",
        "needs 170109010 transitions before it is made deterministic; the limit is 1000000."
            + " Use fewer repetitions, or shorter parts");
    regex(
        "(" + "|".repeat(18_900) + "a){1000}{9}",
        "needs 170118010 transitions before it is made deterministic; the limit is 1000000.");
  }

  @Test
  void limitsNestedRepetitions() {
    regex(
        "a" + "?".repeat(19_000),
        "is invalid at position 201: repetitions are nested 101 deep; the limit is 100, so write"
            + " some of them as one");
    regex("a" + "{1}".repeat(6600), "is invalid at position 301: repetitions are nested 101 deep");
    regex("(".repeat(99) + "a" + "){2}".repeat(99), "needs more than 1125899906842624" + STATES);
    regex("(".repeat(9000) + ")".repeat(9000), "is invalid at position 100: groups are nested");
    assertThat(ByteAutomaton.ofRegex("(".repeat(99) + "a" + ")?".repeat(99)).states()).isEqualTo(2);
  }

  @Test
  void limitsLargeClassesAndRepetitions() {
    String characters =
        IntStream.range(0, 9000)
            .mapToObj(i -> Character.toString(0x100 + 2 * i))
            .collect(Collectors.joining());
    regex("[" + characters + "]{1000}", "needs 2081001" + STATES);
    regex("\\W".repeat(9990), "needs 79920" + STATES);
    regex("([a-z]?){1000}".repeat(16), "needs 48016" + STATES);
    regex("(.*a.{9}){3}", "takes more than 10000000 steps to prepare; use fewer repetitions");
  }

  @Test
  void nestedArraysAndOptionalMembersDoNotDouble() {
    String arrays = NULL;
    String objects = NULL;
    for (int depth = 0; depth < 30; depth++) {
      arrays = "{\"type\":\"array\",\"items\":" + arrays + "}";
      objects = "{\"type\":\"object\",\"properties\":{\"a\":%s,\"b\":%s}}".formatted(objects, NULL);
    }
    assertThat(ByteAutomaton.ofJsonSchema(arrays).states()).isLessThan(300);
    assertThat(ByteAutomaton.ofJsonSchema(objects).states()).isLessThan(1000);
    assertThat(ByteAutomaton.ofJsonSchema(properties(100)).states()).isLessThan(3000);
    schema(properties(3000), "needs 61889" + STATES);
    schema(properties(1000), "takes more than 10000000 steps to prepare");
    String limited = NULL;
    for (int depth = 0; depth < 20; depth++) {
      limited = "{\"type\":\"array\",\"maxItems\":1000,\"items\":" + limited + "}";
    }
    schema(limited, "needs more than 1125899906842624" + STATES);
  }

  @Test
  void longStringsAreWithinTheLimits() {
    String string = "{\"type\":\"string\",\"maxLength\":%d}";
    String two = "{\"type\":\"object\",\"properties\":{\"a\":%s,\"b\":%s},\"required\":[\"a\"]}";

    assertThat(ByteAutomaton.ofJsonSchema(string.formatted(1000)).states()).isEqualTo(20_003);
    assertThat(
            ByteAutomaton.ofJsonSchema(two.formatted(string.formatted(1000), string.formatted(250)))
                .states())
        .isEqualTo(25_019);
  }

  @Test
  void limitsTheTextOfASchema() {
    schema(
        " ".repeat(200_001),
        "has 200001 characters; the limit is 200000, so leave out descriptions or ask for less");
    schema("[".repeat(100_000), "exceeds a limit for JSON: Document nesting depth (201) exceeds");
    schema(
        "{\"type\":\"null\",\"default\":" + "[".repeat(900) + "]".repeat(900) + "}",
        "exceeds a limit for JSON: Document nesting depth (201) exceeds");
    schema("{\"const\":" + "1".repeat(1001) + "}", "exceeds a limit for JSON: Number value length");
    schema(
        "{\"const\":1e99999999999}",
        "exceeds a limit for JSON: the exponent of a number has more than 32 bits");
    String values =
        IntStream.range(0, 20_000).mapToObj(i -> "" + i).collect(Collectors.joining(","));
    schema("{\"enum\":[" + values + "]}", "needs 88891" + STATES);
    schema("{\"" + "k".repeat(40_000) + "\":1}", "is invalid at its root: [kkkkkk");
  }

  /** The limit is checked against what is computed, so that must be what is built. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"type\":\"string\",\"minLength\":2,\"maxLength\":4}",
        "{\"type\":\"array\",\"items\":{\"type\":\"number\"}}",
        "{\"type\":\"array\",\"items\":{\"type\":\"null\"},\"minItems\":1}",
        "{\"type\":\"array\",\"items\":{\"type\":\"null\"},\"minItems\":3,\"maxItems\":5}",
        "{\"type\":\"array\",\"items\":{\"type\":\"null\"},\"maxItems\":2}",
        "{\"type\":\"array\",\"items\":{\"type\":\"null\"},\"minItems\":4}",
        "{\"type\":\"array\",\"items\":{\"type\":\"null\"},\"maxItems\":0}",
        "{\"type\":\"object\"}",
        "{\"anyOf\":[{\"type\":\"boolean\"},{\"enum\":[\"é\",1]}]}"
      })
  void theComputedSizeIsTheBuiltSize(String schema) {
    requireExact(JsonSchema.parse(schema));
    for (String required : new String[] {"", "\"a\"", "\"b\"", "\"c\"", "\"a\",\"c\""}) {
      requireExact(
          JsonSchema.parse(
              "{\"type\":\"object\",\"properties\":{\"a\":%1$s,\"b\":%1$s,\"c\":%1$s},\"required\":[%2$s]}"
                  .formatted(schema, required)));
    }
  }

  private static void requireExact(Node pattern) {
    Nfa nfa = Nfa.of(pattern);
    assertThat(nfa.size()).isEqualTo(pattern.size().states() + 1); // and the start
    assertThat(nfa.transitions()).isEqualTo((int) pattern.size().transitions());
  }

  private static String properties(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> "\"p%d\":%s".formatted(i, NULL))
        .collect(Collectors.joining(",", "{\"type\":\"object\",\"properties\":{", "}}"));
  }

  private static void regex(String regex, String message) {
    refused(() -> ByteAutomaton.ofRegex(regex), message);
  }

  private static void schema(String schema, String message) {
    refused(() -> ByteAutomaton.ofJsonSchema(schema), message);
  }

  /** In a thread with a small stack, and with little memory. */
  private static void refused(Runnable compile, String message) {
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    AtomicReference<Long> allocated = new AtomicReference<>();
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    Runnable measured =
        () -> {
          long before = threads.getCurrentThreadAllocatedBytes();
          try {
            compile.run();
          } catch (PatternException | StackOverflowError e) {
            thrown.set(e);
          }
          allocated.set(threads.getCurrentThreadAllocatedBytes() - before);
        };
    Thread thread = new Thread(null, measured, "small stack", SMALL_STACK);
    thread.start();
    assertThatThrownBy(
            () -> {
              thread.join();
              throw thrown.get();
            })
        .isInstanceOf(PatternException.class)
        .hasMessageStartingWith(message);
    assertThat(allocated.get()).isLessThan(MAX_ALLOCATED);
  }
}

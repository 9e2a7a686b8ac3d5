package dev.flinfer.engine.structured;

import java.util.Arrays;
import java.util.BitSet;

/**
 * What a pattern matches, as a deterministic automaton over the bytes of a text in UTF-8. From
 * every state some text is matched, so a text that has found no dead end can be finished.
 * Immutable.
 */
public final class ByteAutomaton {
  /** Where every text begins. */
  public static final int START = 0;

  /** The result of a step after which no text can match. */
  public static final int NONE = -1;

  private final int[] classOf; // (256) bytes that no step tells apart have the same
  private final int classes;
  private final int[] next; // (states, classes)
  private final BitSet accepting;

  ByteAutomaton(int[] classOf, int classes, int[] next, BitSet accepting) {
    this.classOf = classOf;
    this.classes = classes;
    this.next = next;
    this.accepting = accepting;
  }

  /**
   * The automaton of a regular expression, which must match a whole text: {@code docs/sampling.md}
   * says what it may contain.
   *
   * @throws PatternException naming the invalid place, or the limit
   */
  public static ByteAutomaton ofRegex(String regex) {
    return Determinizer.of(new RegexParser(regex).parse());
  }

  /**
   * The automaton of the JSON texts that are valid under a schema: {@code docs/sampling.md} says
   * what the schema may contain.
   *
   * @throws PatternException naming the invalid place, or the limit
   */
  public static ByteAutomaton ofJsonSchema(String schema) {
    return Determinizer.of(JsonSchema.parse(schema));
  }

  /** Returns the state after a byte, or NONE. */
  public int step(int state, byte read) {
    return next[state * classes + classOf[Byte.toUnsignedInt(read)]];
  }

  /** Returns the state after bytes, or NONE. */
  public int step(int state, byte[] read) {
    int at = state;
    for (int i = 0; i < read.length && at != NONE; i++) {
      at = step(at, read[i]);
    }
    return at;
  }

  /** Whether the text so far is matched. */
  public boolean accepts(int state) {
    return accepting.get(state);
  }

  /** Whether a longer text can be matched. */
  public boolean goesOn(int state) {
    return Arrays.stream(next, state * classes, (state + 1) * classes).anyMatch(to -> to != NONE);
  }

  /** Number of states. */
  public int states() {
    return next.length / classes;
  }

  /** Size of the table of steps. */
  public long bytes() {
    return (long) Integer.BYTES * next.length;
  }
}

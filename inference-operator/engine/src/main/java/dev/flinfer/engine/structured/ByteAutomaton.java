package dev.flinfer.engine.structured;

import java.util.Arrays;
import java.util.BitSet;

/**
 * A pattern as a deterministic automaton over the bytes of a text in UTF-8. From every state some
 * matching text can be reached, so a text that has not run into {@link #NONE} can be completed.
 * Immutable.
 */
public final class ByteAutomaton {
  /** The state before the first byte of a text. */
  public static final int START = 0;

  /** The result of a step that no matching text takes. */
  public static final int NONE = -1;

  private final int[] classOf; // (256) bytes that no step distinguishes have the same class
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
   * Builds the automaton of a regular expression, which must match the whole text. {@code
   * docs/sampling.md} lists what it may contain.
   *
   * @throws PatternException naming the place of an error, or the limit that is exceeded
   */
  public static ByteAutomaton ofRegex(String regex) {
    return Determinizer.of(new RegexParser(regex).parse());
  }

  /** Returns the state after a byte, or NONE. */
  public int step(int state, byte read) {
    return next[state * classes + classOf[Byte.toUnsignedInt(read)]];
  }

  /** Returns the state after several bytes, or NONE. */
  public int step(int state, byte[] read) {
    int at = state;
    for (int i = 0; i < read.length && at != NONE; i++) {
      at = step(at, read[i]);
    }
    return at;
  }

  /** Whether the text so far matches. */
  public boolean accepts(int state) {
    return accepting.get(state);
  }

  /** Whether a longer text can match. */
  public boolean goesOn(int state) {
    return Arrays.stream(next, state * classes, (state + 1) * classes).anyMatch(to -> to != NONE);
  }

  /** Number of states. */
  public int states() {
    return next.length / classes;
  }
}

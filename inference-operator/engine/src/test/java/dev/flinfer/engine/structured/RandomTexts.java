package dev.flinfer.engine.structured;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Random;

/** Texts as a model with random weights would generate them: byte by byte within a pattern. */
final class RandomTexts {
  /** As often in each random test; more with the property, as before a release. */
  static final int TRIES = Integer.getInteger("flinfer.structured.tries", 2000);

  private static final int LONG = 60; // bytes, after which the shortest way to an end is taken

  private final ByteAutomaton automaton;
  private final int[] toEnd; // (states) fewest bytes to a complete text

  RandomTexts(ByteAutomaton automaton) {
    this.automaton = automaton;
    this.toEnd = new int[automaton.states()];
    Arrays.fill(toEnd, Integer.MAX_VALUE - 1);
    boolean changed = true;
    while (changed) {
      changed = false;
      for (int state = toEnd.length - 1; state >= 0; state--) {
        int least = automaton.accepts(state) ? 0 : Integer.MAX_VALUE - 1;
        for (int b = 0; b < 256; b++) {
          int to = automaton.step(state, (byte) b);
          least = to == ByteAutomaton.NONE ? least : Math.min(least, toEnd[to] + 1);
        }
        changed |= least < toEnd[state];
        toEnd[state] = Math.min(toEnd[state], least);
      }
    }
  }

  String next(Random random) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    int state = ByteAutomaton.START;
    while (true) {
      if (automaton.accepts(state)
          && (text.size() > LONG || random.nextInt(4) == 0 || !automaton.goesOn(state))) {
        return text.toString(StandardCharsets.UTF_8);
      }
      int best = toEnd[state] - (text.size() > LONG ? 1 : Integer.MIN_VALUE / 2);
      int read = random.nextInt(256);
      int to;
      do {
        read = (read + 1) % 256;
        to = automaton.step(state, (byte) read);
      } while (to == ByteAutomaton.NONE || toEnd[to] > best);
      text.write(read);
      state = to;
    }
  }

  /** A text with one character removed, doubled, or replaced by one of some. */
  static String changed(String text, String characters, Random random) {
    Deque<Integer> all = new ArrayDeque<>();
    int count = (int) text.codePoints().count();
    int at = random.nextInt(count + 1);
    int other =
        characters.codePointAt(
            characters.offsetByCodePoints(
                0, random.nextInt(characters.codePointCount(0, characters.length()))));
    int change = random.nextInt(3);
    int[] codePoints = text.codePoints().toArray();
    for (int i = 0; i <= count; i++) {
      if (i == at && change != 0) {
        all.add(other);
      }
      if (i < count && (i != at || change == 2)) {
        all.add(codePoints[i]);
      }
    }
    StringBuilder changed = new StringBuilder();
    all.forEach(changed::appendCodePoint);
    return changed.toString();
  }
}

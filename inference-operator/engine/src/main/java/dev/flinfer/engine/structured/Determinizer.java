package dev.flinfer.engine.structured;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Makes an automaton deterministic: a state is the set of states that the other may be in. */
final class Determinizer {
  static final int MAX_STATES = 16_384;

  /** A few tenths of a second. */
  private static final long MAX_WORK = 10_000_000;

  private final int[][] skips; // (states, next states without reading a byte)
  private final int[][] edges; // (states, 3 x steps): first and last byte, next state
  private final int[] open;
  private final int[] classOf = new int[256];
  private final List<Integer> firstOfClass = new ArrayList<>();
  private final Map<BitSet, Integer> numbers = new HashMap<>();
  private final List<BitSet> sets = new ArrayList<>();
  private long work;

  private Determinizer(Nfa nfa) {
    this.skips = new int[nfa.size()][];
    this.edges = new int[nfa.size()][];
    this.open = new int[nfa.size()];
    boolean[] begins = new boolean[257];
    begins[0] = true;
    for (int state = 0; state < nfa.size(); state++) {
      skips[state] = nfa.skips(state).stream().mapToInt(Integer::intValue).toArray();
      edges[state] =
          nfa.edges(state).stream()
              .flatMapToInt(e -> IntStream.of(e.first(), e.last(), e.to()))
              .toArray();
      for (Nfa.Edge edge : nfa.edges(state)) {
        begins[edge.first()] = true;
        begins[edge.last() + 1] = true;
      }
    }
    for (int b = 0; b < 256; b++) {
      if (begins[b]) {
        firstOfClass.add(b);
      }
      classOf[b] = firstOfClass.size() - 1;
    }
  }

  static ByteAutomaton of(Node pattern) {
    Nfa nfa = new Nfa();
    int end = pattern.build(nfa, 0);
    return new Determinizer(nfa).run(end);
  }

  private ByteAutomaton run(int end) {
    int classes = firstOfClass.size();
    BitSet start = new BitSet();
    reach(start, 0);
    number(start);
    int[] next = new int[classes * 16];
    for (int state = 0; state < sets.size(); state++) {
      if ((state + 1) * classes > next.length) {
        next = Arrays.copyOf(next, 2 * next.length);
      }
      for (int c = 0; c < classes; c++) {
        next[state * classes + c] = step(sets.get(state), firstOfClass.get(c));
      }
    }
    BitSet accepting = new BitSet();
    for (int state = 0; state < sets.size(); state++) {
      accepting.set(state, sets.get(state).get(end));
    }
    return new ByteAutomaton(
        classOf, classes, Arrays.copyOf(next, sets.size() * classes), accepting);
  }

  private int step(BitSet from, int read) {
    BitSet to = new BitSet();
    for (int state = from.nextSetBit(0); state >= 0; state = from.nextSetBit(state + 1)) {
      int[] steps = edges[state];
      count(steps.length / 3);
      for (int i = 0; i < steps.length; i += 3) {
        if (steps[i] <= read && read <= steps[i + 1]) {
          reach(to, steps[i + 2]);
        }
      }
    }
    return to.isEmpty() ? ByteAutomaton.NONE : number(to);
  }

  /** Adds a state and those that can be reached from it without reading a byte. */
  private void reach(BitSet set, int state) {
    int count = 0;
    if (!set.get(state)) {
      set.set(state);
      open[count++] = state;
    }
    while (count > 0) {
      int[] to = skips[open[--count]];
      count(1 + to.length);
      for (int next : to) {
        if (!set.get(next)) {
          set.set(next);
          open[count++] = next;
        }
      }
    }
  }

  private int number(BitSet set) {
    Integer known = numbers.get(set);
    if (known != null) {
      return known;
    }
    if (sets.size() == MAX_STATES) {
      throw new PatternException(
          "needs more than %d states; use fewer repetitions, or merge alternatives with the same beginning"
              .formatted(MAX_STATES));
    }
    numbers.put(set, sets.size());
    sets.add(set);
    return sets.size() - 1;
  }

  private void count(int steps) {
    work += steps;
    if (work > MAX_WORK) {
      throw new PatternException(
          "takes more than %d steps to prepare; use fewer repetitions, or repeat shorter parts"
              .formatted(MAX_WORK));
    }
  }
}

package dev.flinfer.engine.structured;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes an automaton deterministic: a state is the set of states in which the other may be. The
 * sets hold no more elements than there are steps, so the limit on steps also limits memory.
 */
final class Determinizer {
  static final int MAX_STATES = 30_000;

  /** 8 MB; every prepared pattern keeps its table. */
  static final int MAX_TABLE = 2_000_000;

  /** Takes a few tenths of a second. */
  private static final long MAX_WORK = 10_000_000;

  /** States of the other automaton in ascending order, only those from which a byte is read. */
  private record StateSet(int[] states, int hash) {
    static StateSet of(int[] states) {
      return new StateSet(states, Arrays.hashCode(states));
    }

    @Override
    public int hashCode() {
      return hash;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof StateSet set && Arrays.equals(states, set.states);
    }
  }

  private final Nfa nfa;
  private final int[][] skips; // (states, transitions that read nothing)
  private final int[][] edges; // (states, 3 x transitions): first and last byte, next state
  private final int[] open; // reached, with skips to follow
  private final int[] reached; // (states) the last set that a state was added to
  private final int[] members; // of the set being computed
  private int count;
  private int computed;
  private final int[] classOf = new int[256];
  private final List<Integer> firstOfClass = new ArrayList<>();
  private final Map<StateSet, Integer> numbers = new HashMap<>();
  private final List<int[]> sets = new ArrayList<>();
  private long work;

  private Determinizer(Nfa nfa) {
    this.nfa = nfa;
    this.skips = nfa.skips();
    this.edges = nfa.edges();
    this.open = new int[nfa.size()];
    this.reached = new int[nfa.size()];
    this.members = new int[nfa.size()];
    boolean[] begins = new boolean[257];
    begins[0] = true;
    for (int[] steps : edges) {
      for (int i = 0; i < steps.length; i += 3) {
        begins[steps[i]] = true;
        begins[steps[i + 1] + 1] = true;
      }
    }
    for (int b = 0; b < 256; b++) {
      if (begins[b]) {
        firstOfClass.add(b);
      }
      classOf[b] = firstOfClass.size() - 1;
    }
  }

  /**
   * Compiles a pattern.
   *
   * @throws PatternException naming the limit that it exceeds
   */
  static ByteAutomaton of(Node pattern) {
    return new Determinizer(Nfa.of(pattern)).run();
  }

  private ByteAutomaton run() {
    int classes = firstOfClass.size();
    begin();
    reach(0);
    number();
    int[] next = new int[classes * 16];
    for (int state = 0; state < sets.size(); state++) {
      if ((state + 1) * classes > next.length) {
        next = Arrays.copyOf(next, Math.min(2 * next.length, classes * MAX_STATES));
      }
      for (int c = 0; c < classes; c++) {
        next[state * classes + c] = step(sets.get(state), firstOfClass.get(c));
      }
    }
    BitSet accepting = new BitSet();
    for (int state = 0; state < sets.size(); state++) {
      accepting.set(state, Arrays.binarySearch(sets.get(state), nfa.end()) >= 0);
    }
    return new ByteAutomaton(
        classOf, classes, Arrays.copyOf(next, sets.size() * classes), accepting);
  }

  private int step(int[] from, int read) {
    begin();
    for (int state : from) {
      int[] steps = edges[state];
      count(steps.length / 3);
      for (int i = 0; i < steps.length; i += 3) {
        if (steps[i] <= read && read <= steps[i + 1]) {
          reach(steps[i + 2]);
        }
      }
    }
    return count == 0 ? ByteAutomaton.NONE : number();
  }

  private void begin() {
    count = 0;
    computed++;
  }

  /** Adds a state and those that are reached from it without reading. */
  private void reach(int state) {
    int left = add(state, 0);
    while (left > 0) {
      int[] to = skips[open[--left]];
      count(1 + to.length);
      for (int next : to) {
        left = add(next, left);
      }
    }
  }

  private int add(int state, int left) {
    if (reached[state] == computed) {
      return left;
    }
    reached[state] = computed;
    if (edges[state].length > 0 || state == nfa.end()) {
      members[count++] = state;
    }
    open[left] = state;
    return left + 1;
  }

  private int number() {
    int[] states = Arrays.copyOf(members, count);
    Arrays.sort(states);
    StateSet set = StateSet.of(states);
    Integer known = numbers.get(set);
    if (known != null) {
      return known;
    }
    int number = sets.size();
    if (number == MAX_STATES) {
      throw new PatternException(
          "needs more than %d states; use fewer repetitions, or put alternatives with the same beginning together"
              .formatted(MAX_STATES));
    }
    int classes = firstOfClass.size();
    if ((number + 1) * classes > MAX_TABLE) {
      throw new PatternException(
          "needs more than %d states, each with %d different bytes; the limit of their product is %d. Repeat less, or use fewer characters"
              .formatted(number, classes, MAX_TABLE));
    }
    numbers.put(set, number);
    sets.add(states);
    return number;
  }

  private void count(int steps) {
    work += steps;
    if (work > MAX_WORK) {
      throw new PatternException(
          "takes more than %d steps to prepare; use fewer repetitions, or shorter parts"
              .formatted(MAX_WORK));
    }
  }
}

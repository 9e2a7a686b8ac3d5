package dev.flinfer.engine.structured;

import java.util.ArrayList;
import java.util.List;

/** A nondeterministic automaton over bytes, with steps that read nothing; state 0 is the start. */
final class Nfa {
  static final int MAX_STATES = 20_000;

  /** A step that reads a byte from a range. */
  record Edge(int first, int last, int to) {}

  private final List<List<Edge>> edges = new ArrayList<>();
  private final List<List<Integer>> skips = new ArrayList<>();

  Nfa() {
    state();
  }

  /** Adds a state. */
  int state() {
    if (edges.size() == MAX_STATES) {
      throw new PatternException(
          "needs more than %d states before it is made deterministic; use fewer repetitions, or repeat shorter parts"
              .formatted(MAX_STATES));
    }
    edges.add(new ArrayList<>(1));
    skips.add(new ArrayList<>(1));
    return edges.size() - 1;
  }

  void edge(int from, int first, int last, int to) {
    edges.get(from).add(new Edge(first, last, to));
  }

  void skip(int from, int to) {
    skips.get(from).add(to);
  }

  int size() {
    return edges.size();
  }

  List<Edge> edges(int state) {
    return edges.get(state);
  }

  List<Integer> skips(int state) {
    return skips.get(state);
  }
}

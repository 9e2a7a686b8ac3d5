package dev.flinfer.engine.structured;

import java.util.List;

/**
 * A part of a pattern: builds its states into an automaton, each time it is called. Knows their
 * number before. A part may occur in several others.
 */
interface Node {
  /** No upper limit to a number of repetitions. */
  int UNLIMITED = -1;

  /** Matches the empty text. */
  Node NOTHING = new Concat(List.of(), Size.NONE);

  /** The number of states and transitions that a call of {@link #build} adds. */
  Size size();

  /**
   * Builds what the part matches, beginning at a state. Nothing else leaves the state at its end.
   *
   * @return the state at its end
   */
  int build(Nfa nfa, int from);

  /** Parts in sequence. */
  record Concat(List<Node> parts, Size size) implements Node {
    @Override
    public int build(Nfa nfa, int from) {
      int at = from;
      for (Node part : parts) {
        at = part.build(nfa, at);
      }
      return at;
    }
  }

  /** One of several parts. */
  record Union(List<Node> parts, Size size) implements Node {
    @Override
    public int build(Nfa nfa, int from) {
      int end = nfa.state();
      for (Node part : parts) {
        nfa.skip(part.build(nfa, from), end);
      }
      return end;
    }
  }

  /** A part {@code min} to {@code max} times. */
  record Repeat(Node part, int min, int max, Size size) implements Node {
    @Override
    public int build(Nfa nfa, int from) {
      int at = from;
      for (int i = 0; i < min; i++) {
        at = part.build(nfa, at);
      }
      if (max == UNLIMITED) {
        int loop = nfa.state(); // separate, so that nothing else that begins at `at` repeats
        nfa.skip(at, loop);
        nfa.skip(part.build(nfa, loop), loop);
        at = nfa.state();
        nfa.skip(loop, at);
        return at;
      }
      int end = nfa.state();
      for (int i = min; i < max; i++) {
        nfa.skip(at, end);
        int next = nfa.state();
        nfa.skip(at, next);
        at = part.build(nfa, next);
      }
      nfa.skip(at, end);
      return end;
    }
  }

  static Node concat(List<Node> parts) {
    return parts.size() == 1 ? parts.get(0) : new Concat(List.copyOf(parts), sum(parts));
  }

  static Node concat(Node... parts) {
    return concat(List.of(parts));
  }

  static Node union(List<Node> parts) {
    return parts.size() == 1
        ? parts.get(0)
        : new Union(List.copyOf(parts), sum(parts).plus(1, parts.size()));
  }

  static Node repeat(Node part, int min, int max) {
    Size size = part.size();
    Size copies =
        max == UNLIMITED
            ? size.times(min).plus(size).plus(2, 3)
            : size.times(min).plus(size.plus(1, 2).times(max - min)).plus(1, 1);
    return new Repeat(part, min, max, copies.repeated());
  }

  private static Size sum(List<Node> parts) {
    Size sum = Size.NONE;
    for (Node part : parts) {
      sum = sum.plus(part.size());
    }
    return sum;
  }
}

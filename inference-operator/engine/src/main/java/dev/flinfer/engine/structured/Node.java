package dev.flinfer.engine.structured;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A part of a pattern. It adds its states to an automaton, again at each call. */
interface Node {
  /** A maximum of repetitions that means no limit. */
  int UNLIMITED = -1;

  /**
   * Adds the states of this part, starting from a given state.
   *
   * @return the state at the part's end
   */
  int build(Nfa nfa, int from);

  /** Parts in sequence; with no parts, the empty text. */
  record Concat(List<Node> parts) implements Node {
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
  record Union(List<Node> parts) implements Node {
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
  record Repeat(Node part, int min, int max) implements Node {
    @Override
    public int build(Nfa nfa, int from) {
      int at = from;
      for (int i = 0; i < min; i++) {
        at = part.build(nfa, at);
      }
      if (max == UNLIMITED) {
        int loop = nfa.state(); // a new state: other parts that begin at `at` must not repeat
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

  /** One character of a set, in UTF-8. */
  record Characters(List<CodePoints.Range> ranges) implements Node {
    @Override
    public int build(Nfa nfa, int from) {
      int end = nfa.state();
      // Most sequences end with the same continuation bytes; sharing states keeps automata small.
      Map<List<Integer>, Integer> ends = new HashMap<>();
      for (CodePoints.Range range : ranges) {
        for (int[] bytes : Utf8Ranges.of(range.first(), range.last())) {
          int next = end;
          for (int i = bytes.length - 2; i > 0; i -= 2) {
            List<Integer> rest = Arrays.stream(bytes, i, bytes.length).boxed().toList();
            Integer known = ends.get(rest);
            if (known == null) {
              known = nfa.state();
              nfa.edge(known, bytes[i], bytes[i + 1], next);
              ends.put(rest, known);
            }
            next = known;
          }
          nfa.edge(from, bytes[0], bytes[1], next);
        }
      }
      return end;
    }
  }

  static Node concat(List<Node> parts) {
    return parts.size() == 1 ? parts.get(0) : new Concat(List.copyOf(parts));
  }
}

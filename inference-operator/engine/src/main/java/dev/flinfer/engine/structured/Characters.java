package dev.flinfer.engine.structured;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * One character of a set, in UTF-8.
 *
 * @param edges (4 x edges) from, first byte, last byte, to, of states numbered within the part: 0
 *     is where it begins, 1 where it ends
 */
record Characters(int[] edges, Size size) implements Node {
  private static final int FROM = 0;
  private static final int END = 1;

  static Characters of(List<CodePoints.Range> ranges) {
    // Most forms end alike, in bytes that continue; a state for each end keeps automata small.
    Map<List<Integer>, Integer> ends = new HashMap<>();
    List<int[]> edges = new ArrayList<>();
    for (CodePoints.Range range : ranges) {
      for (int[] bytes : Utf8Ranges.of(range.first(), range.last())) {
        int next = END;
        for (int i = bytes.length - 2; i > 0; i -= 2) {
          List<Integer> rest = Arrays.stream(bytes, i, bytes.length).boxed().toList();
          Integer known = ends.get(rest);
          if (known == null) {
            known = END + 1 + ends.size();
            edges.add(new int[] {known, bytes[i], bytes[i + 1], next});
            ends.put(rest, known);
          }
          next = known;
        }
        edges.add(new int[] {FROM, bytes[0], bytes[1], next});
      }
    }
    return new Characters(
        edges.stream().flatMapToInt(Arrays::stream).toArray(),
        Size.of(1 + ends.size(), edges.size()));
  }

  /** Reads a byte of some ranges, each written as its two ends, between two states. */
  record Way(int from, String ranges, int to) {
    IntStream edges() {
      return IntStream.range(0, ranges.length() / 2)
          .flatMap(i -> IntStream.of(from, ranges.charAt(2 * i), ranges.charAt(2 * i + 1), to));
    }
  }

  /** Adds other ways through the part; their new states have the numbers from states + 1. */
  Characters or(int moreStates, List<Way> ways) {
    int[] more = ways.stream().flatMapToInt(Way::edges).toArray();
    int[] all = Arrays.copyOf(edges, edges.length + more.length);
    System.arraycopy(more, 0, all, edges.length, more.length);
    return new Characters(all, size.plus(moreStates, more.length / 4));
  }

  @Override
  public int build(Nfa nfa, int from) {
    int end = nfa.state();
    for (int i = 1; i < size.states(); i++) {
      nfa.state();
    }
    for (int i = 0; i < edges.length; i += 4) {
      nfa.edge(at(edges[i], from, end), edges[i + 1], edges[i + 2], at(edges[i + 3], from, end));
    }
    return end;
  }

  private static int at(int local, int from, int end) {
    return local == FROM ? from : end + local - END;
  }
}

package dev.flinfer.engine.structured;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A set of Unicode code points. {@link #disjoint} omits surrogates, which UTF-8 does not have. */
final class CodePoints {
  private static final int LAST = Character.MAX_CODE_POINT;

  /** The code points from the first to the last, both inclusive. */
  record Range(int first, int last) {}

  private final List<Range> ranges = new ArrayList<>();

  static CodePoints of(int... firstsAndLasts) {
    CodePoints set = new CodePoints();
    for (int i = 0; i < firstsAndLasts.length; i += 2) {
      set.add(firstsAndLasts[i], firstsAndLasts[i + 1]);
    }
    return set;
  }

  void add(int first, int last) {
    ranges.add(new Range(first, last));
  }

  void addAll(CodePoints others) {
    ranges.addAll(others.ranges);
  }

  CodePoints complement() {
    CodePoints rest = new CodePoints();
    int next = 0;
    for (Range range : sorted()) {
      if (range.first > next) {
        rest.add(next, range.first - 1);
      }
      next = Math.max(next, range.last + 1);
    }
    if (next <= LAST) {
      rest.add(next, LAST);
    }
    return rest;
  }

  /** Returns the set as disjoint ranges in ascending order, without surrogates. */
  List<Range> disjoint() {
    List<Range> all = new ArrayList<>();
    for (Range range : complement().complement().ranges) {
      addWithin(all, range, 0, Character.MIN_SURROGATE - 1);
      addWithin(all, range, Character.MAX_SURROGATE + 1, LAST);
    }
    return all;
  }

  private static void addWithin(List<Range> all, Range range, int first, int last) {
    int from = Math.max(range.first, first);
    int to = Math.min(range.last, last);
    if (from <= to) {
      all.add(new Range(from, to));
    }
  }

  private List<Range> sorted() {
    return ranges.stream().sorted(Comparator.comparingInt(Range::first)).toList();
  }
}

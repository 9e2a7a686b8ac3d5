package dev.flinfer.engine.structured;

/**
 * The items of an array, with commas between them. Without an upper limit the last item leads back
 * to itself, so that arrays in arrays do not double at each level.
 */
record Items(Node item, int min, int max, Size size) implements Node {
  static Items of(Node item, int min, int max) {
    int copies = copies(min, max);
    Size comma = JsonTexts.COMMA.size();
    Size size = item.size().plus(1, 1).times(copies).plus(comma.times(copies - 1)).plus(1, 0);
    size =
        max == UNLIMITED
            ? size.plus(comma).plus(0, 2)
            : size.plus(0, copies - Math.max(1, min) + 1);
    return new Items(item, min, max, min == 0 ? size.plus(0, 1) : size);
  }

  private static int copies(int min, int max) {
    return max == UNLIMITED ? Math.max(1, min) : max;
  }

  @Override
  public int build(Nfa nfa, int from) {
    int end = nfa.state();
    if (min == 0) {
      nfa.skip(from, end);
    }
    int at = from;
    for (int i = 1; i <= copies(min, max); i++) {
      int start = nfa.state();
      nfa.skip(i == 1 ? from : JsonTexts.COMMA.build(nfa, at), start);
      at = item.build(nfa, start);
      if (max != UNLIMITED && i >= min) {
        nfa.skip(at, end);
      } else if (max == UNLIMITED && i == copies(min, max)) {
        nfa.skip(at, end);
        nfa.skip(JsonTexts.COMMA.build(nfa, at), start);
      }
    }
    return end;
  }
}

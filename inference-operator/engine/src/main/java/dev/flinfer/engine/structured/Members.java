package dev.flinfer.engine.structured;

import java.util.List;

/**
 * The members of an object in their order, with commas between those that occur. Each is built
 * once: a text has a member before it or none, and one state stands for each case.
 *
 * @param parts name, colon and value of each
 * @param optional whether each may be left out
 */
record Members(List<Node> parts, List<Boolean> optional, Size size) implements Node {
  private static final int NEVER = -1;

  static Members of(List<Node> parts, List<Boolean> optional) {
    int count = parts.size();
    int firstRequired = optional.indexOf(false);
    int canBeFirst = firstRequired < 0 ? count : firstRequired + 1;
    int canBeLeftOut = (int) optional.stream().skip(1).filter(is -> is).count();
    int commas = Math.max(0, count - 1);
    int skips = canBeFirst + commas + count + canBeLeftOut;
    skips += (firstRequired < 0 ? 1 : 0) + (count == 0 ? 0 : 1); // to the end of all
    Size size = JsonTexts.COMMA.size().times(commas).plus(2L * count + 1, skips);
    for (Node part : parts) {
      size = size.plus(part.size());
    }
    return new Members(List.copyOf(parts), List.copyOf(optional), size);
  }

  @Override
  public int build(Nfa nfa, int from) {
    int none = from;
    int some = NEVER;
    for (int i = 0; i < parts.size(); i++) {
      int start = nfa.state();
      if (none != NEVER) {
        nfa.skip(none, start);
      }
      if (some != NEVER) {
        nfa.skip(JsonTexts.COMMA.build(nfa, some), start);
      }
      int end = parts.get(i).build(nfa, start);
      int after = nfa.state();
      nfa.skip(end, after);
      if (optional.get(i) && some != NEVER) {
        nfa.skip(some, after);
      }
      some = after;
      none = optional.get(i) ? none : NEVER;
    }
    int end = nfa.state();
    if (none != NEVER) {
      nfa.skip(none, end);
    }
    if (some != NEVER) {
      nfa.skip(some, end);
    }
    return end;
  }
}

package dev.flinfer.engine.structured;

import java.util.Arrays;

/**
 * An automaton over bytes with transitions that read nothing; state 0 is the start. Takes no more
 * memory than the size of its pattern, which is checked first.
 */
final class Nfa {
  private static final int SKIP = -1;

  private final int[] froms; // (transitions)
  private final int[] tos; // (transitions)
  private final int[] reads; // (transitions) 256 x first byte + last byte, or SKIP
  private int states = 1;
  private int transitions;
  private int end;

  private Nfa(Size size) {
    this.froms = new int[(int) size.transitions()];
    this.tos = new int[(int) size.transitions()];
    this.reads = new int[(int) size.transitions()];
  }

  /**
   * Builds the automaton of a pattern.
   *
   * @throws PatternException if it would be too large
   */
  static Nfa of(Node pattern) {
    pattern.size().check();
    Nfa nfa = new Nfa(pattern.size());
    nfa.end = pattern.build(nfa, 0);
    return nfa;
  }

  /** A new state. */
  int state() {
    return states++;
  }

  /** Adds a transition that reads a byte of a range. */
  void edge(int from, int first, int last, int to) {
    add(from, first << 8 | last, to);
  }

  /** Adds a transition that reads nothing. */
  void skip(int from, int to) {
    add(from, SKIP, to);
  }

  private void add(int from, int read, int to) {
    froms[transitions] = from;
    reads[transitions] = read;
    tos[transitions++] = to;
  }

  int size() {
    return states;
  }

  int transitions() {
    return transitions;
  }

  /** The state at the end of a match. */
  int end() {
    return end;
  }

  /** The states that follow each state without reading. */
  int[][] skips() {
    int[][] all = empty(true, 1);
    int[] filled = new int[states];
    for (int i = 0; i < transitions; i++) {
      if (reads[i] == SKIP) {
        all[froms[i]][filled[froms[i]]++] = tos[i];
      }
    }
    return all;
  }

  /** (states, 3 x edges): first and last byte and next state of each transition that reads. */
  int[][] edges() {
    int[][] all = empty(false, 3);
    int[] filled = new int[states];
    for (int i = 0; i < transitions; i++) {
      if (reads[i] != SKIP) {
        int[] edges = all[froms[i]];
        int at = filled[froms[i]];
        edges[at] = reads[i] >> 8;
        edges[at + 1] = reads[i] & 0xff;
        edges[at + 2] = tos[i];
        filled[froms[i]] = at + 3;
      }
    }
    return all;
  }

  private int[][] empty(boolean skips, int width) {
    int[] counts = new int[states];
    for (int i = 0; i < transitions; i++) {
      counts[froms[i]] += (reads[i] == SKIP) == skips ? width : 0;
    }
    return Arrays.stream(counts).mapToObj(int[]::new).toArray(int[][]::new);
  }
}

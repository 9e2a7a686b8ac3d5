package dev.flinfer.engine.batching;

import java.util.TreeSet;

/**
 * The sequences of one request in the scheduler: one, or its outputs with {@code n} above 1. {@link
 * Waiting} keeps the numbers; of two requests the one of which fewer run goes first.
 */
final class Siblings {
  private final TreeSet<Sequence> waiting = new TreeSet<>(Waiting.RANK);
  private int running;

  // Those that were counted in one pass over the running sequences.
  private long pass;
  private int seen;

  /** Those that wait, in rank. */
  TreeSet<Sequence> waiting() {
    return waiting;
  }

  /** The first of them in rank: of one request it is the oldest, unless it was promoted. */
  Sequence oldest() {
    return waiting.first();
  }

  /** How many run. */
  int running() {
    return running;
  }

  void addRunning(int change) {
    running += change;
  }

  /** How many were counted before in the same pass; counts one. */
  int countIn(long number) {
    seen = pass == number ? seen : 0;
    pass = number;
    return seen++;
  }
}

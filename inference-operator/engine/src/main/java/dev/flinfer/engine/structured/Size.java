package dev.flinfer.engine.structured;

/**
 * The memory that a part of a pattern takes before it is made deterministic, known before a state
 * is built.
 *
 * @param states new states
 * @param transitions steps between states, those that read nothing included
 * @param repetitions how deep repetitions are nested, and with them the calls that build the part
 */
record Size(long states, long transitions, int repetitions) {
  static final int MAX_STATES = 30_000;
  static final int MAX_TRANSITIONS = 1_000_000;
  static final int MAX_REPETITIONS = 100;

  /** Larger numbers would overflow when they are multiplied by a number of repetitions. */
  private static final long MANY = 1L << 50;

  static final Size NONE = new Size(0, 0, 0);

  Size {
    states = Math.min(states, MANY);
    transitions = Math.min(transitions, MANY);
  }

  static Size of(long states, long transitions) {
    return new Size(states, transitions, 0);
  }

  Size plus(Size other) {
    return new Size(
        states + other.states,
        transitions + other.transitions,
        Math.max(repetitions, other.repetitions));
  }

  Size plus(long moreStates, long moreTransitions) {
    return new Size(states + moreStates, transitions + moreTransitions, repetitions);
  }

  /** The size of copies of the part; a repetition is counted by {@link #repeated}. */
  Size times(int copies) {
    return new Size(states * copies, transitions * copies, repetitions);
  }

  Size repeated() {
    return new Size(states, transitions, repetitions + 1);
  }

  /**
   * Checks the size of a whole pattern.
   *
   * @throws PatternException naming the number and the limit
   */
  void check() {
    check(states, MAX_STATES, "states");
    check(transitions, MAX_TRANSITIONS, "transitions");
  }

  private static void check(long number, int limit, String what) {
    if (number > limit) {
      throw new PatternException(
          "needs %s%d %s before it is made deterministic; the limit is %d. Use fewer repetitions, or shorter parts"
              .formatted(number == MANY ? "more than " : "", number, what, limit));
    }
  }
}

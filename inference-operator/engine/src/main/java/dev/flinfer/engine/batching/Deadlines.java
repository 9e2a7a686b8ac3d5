package dev.flinfer.engine.batching;

import java.util.Comparator;
import java.util.TreeSet;

/** The sequences that have a deadline, usually few among many that wait. */
final class Deadlines {
  private final TreeSet<Sequence> earliestFirst =
      new TreeSet<>(
          Comparator.<Sequence>comparingLong(sequence -> sequence.request().getDeadline())
              .thenComparingLong(sequence -> sequence.place().arrival()));

  /** Adds a sequence if it has a deadline; its place in the order of arrival must be set. */
  void add(Sequence sequence) {
    if (sequence.request().getDeadline() != null) {
      earliestFirst.add(sequence);
    }
  }

  void remove(Sequence sequence) {
    if (sequence.request().getDeadline() != null) {
      earliestFirst.remove(sequence);
    }
  }

  /** The earliest deadline, milliseconds since 1970; {@link Long#MAX_VALUE} if there is none. */
  long earliest() {
    return earliestFirst.isEmpty() ? Long.MAX_VALUE : earliestFirst.first().request().getDeadline();
  }

  /** The sequence whose deadline passed the longest ago; null if no deadline has passed. */
  Sequence overdue(long nowMillis) {
    boolean none =
        earliestFirst.isEmpty() || earliestFirst.first().request().getDeadline() > nowMillis;
    return none ? null : earliestFirst.first();
  }
}

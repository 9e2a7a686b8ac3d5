package dev.flinfer.engine.batching;

import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.TreeSet;

/**
 * The waiting sequences in the order of admission: the lowest priority value first, the oldest
 * among equals. So that no sequence waits forever, the oldest sequence is promoted when it has been
 * overtaken {@value #MAX_OVERTAKES} times in a row: it goes before all that are not promoted,
 * whatever their priority, and stays promoted until it ends.
 *
 * <p>A sequence with n older ones before it is therefore admitted after at most 9 (n + 1)
 * admissions.
 */
final class Waiting {
  static final int MAX_OVERTAKES = 8;

  /** The order in which sequences are admitted and keep their KV blocks. */
  static final Comparator<Sequence> RANK =
      Comparator.<Sequence, Boolean>comparing(sequence -> !sequence.promoted())
          .thenComparingInt(sequence -> sequence.promoted() ? 0 : sequence.request().getPriority())
          .thenComparingLong(Sequence::arrival);

  private final TreeSet<Sequence> ranked = new TreeSet<>(RANK);
  private final TreeSet<Sequence> oldest =
      new TreeSet<>(Comparator.comparingLong(Sequence::arrival));
  private int overtakes;

  /** Adds a sequence; its place in the order of arrival must be set. */
  void add(Sequence sequence) {
    ranked.add(sequence);
    oldest.add(sequence);
  }

  void remove(Sequence sequence) {
    ranked.remove(sequence);
    oldest.remove(sequence);
  }

  boolean isEmpty() {
    return ranked.isEmpty();
  }

  /** Returns the next sequence to admit; there must be one. */
  Sequence next() {
    if (overtakes >= MAX_OVERTAKES && !oldest.first().promoted()) {
      Sequence overtaken = oldest.first();
      ranked.remove(overtaken);
      overtaken.promote();
      ranked.add(overtaken);
    }
    return ranked.first();
  }

  /** Removes the next sequence, which is admitted. */
  void admitNext() {
    Sequence next = ranked.pollFirst();
    overtakes = next == oldest.first() ? 0 : overtakes + 1;
    oldest.remove(next);
  }

  /** All waiting sequences, the next first. */
  Collection<Sequence> all() {
    return Collections.unmodifiableSet(ranked);
  }
}

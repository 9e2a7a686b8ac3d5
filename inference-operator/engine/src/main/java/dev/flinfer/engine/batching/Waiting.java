package dev.flinfer.engine.batching;

import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.TreeSet;

/**
 * The sequences that wait, and who is next: the lowest priority value first, the oldest among
 * equals. So that nobody waits for ever, a sequence that is the oldest and was overtaken {@value
 * #MAX_OVERTAKES} times in a row is promoted: it goes before all that are not, whatever their
 * priority, and stays so until it ends.
 *
 * <p>So with n older ones before it a sequence is admitted after at most 9 (n + 1) admissions.
 */
final class Waiting {
  static final int MAX_OVERTAKES = 8;

  /** Who goes first, in waiting and in keeping KV blocks. */
  static final Comparator<Sequence> RANK =
      Comparator.<Sequence, Boolean>comparing(sequence -> !sequence.promoted())
          .thenComparingInt(sequence -> sequence.promoted() ? 0 : sequence.request().getPriority())
          .thenComparingLong(Sequence::arrival);

  private final TreeSet<Sequence> ranked = new TreeSet<>(RANK);
  private final TreeSet<Sequence> oldest =
      new TreeSet<>(Comparator.comparingLong(Sequence::arrival));
  private int overtakes;

  /** Adds a sequence, its place in the order of arrival known. */
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

  /** The next to be admitted; there must be one. */
  Sequence next() {
    if (overtakes >= MAX_OVERTAKES && !oldest.first().promoted()) {
      Sequence passedOver = oldest.first();
      ranked.remove(passedOver);
      passedOver.promote();
      ranked.add(passedOver);
    }
    return ranked.first();
  }

  /** The next is admitted. */
  void admitNext() {
    Sequence next = ranked.pollFirst();
    overtakes = next == oldest.first() ? 0 : overtakes + 1;
    oldest.remove(next);
  }

  /** All of them, the next first. */
  Collection<Sequence> all() {
    return Collections.unmodifiableSet(ranked);
  }
}

package dev.flinfer.engine.batching;

import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.TreeSet;

/**
 * The waiting sequences in the order of admission. Requests of which fewer sequences run go first,
 * so that a further output waits until no request waits of which none runs. Of these the lowest
 * priority value goes first, the oldest among equals. So that no request waits forever, the oldest
 * of which none runs is promoted when it has been overtaken {@value #MAX_OVERTAKES} times in a row:
 * it goes before all that are not promoted, whatever their priority, and stays promoted until it
 * ends.
 *
 * <p>A request with n older ones before it is therefore admitted after at most 9 (n + 1)
 * admissions.
 */
final class Waiting {
  static final int MAX_OVERTAKES = 8;

  /** The order in which sequences of different requests are admitted and keep their KV blocks. */
  static final Comparator<Sequence> RANK =
      Comparator.<Sequence, Boolean>comparing(sequence -> !sequence.place().promoted())
          .thenComparingInt(
              sequence -> sequence.place().promoted() ? 0 : sequence.request().getPriority())
          .thenComparingLong(sequence -> sequence.place().arrival());

  private static final Comparator<Siblings> TURN =
      Comparator.<Siblings>comparingInt(Siblings::running)
          .thenComparing(siblings -> siblings.waiting().first(), RANK);

  private static final Comparator<Siblings> AGE =
      Comparator.comparingLong(siblings -> siblings.oldest().place().arrival());

  private final TreeSet<Sequence> all = new TreeSet<>(RANK);
  private final TreeSet<Siblings> turns = new TreeSet<>(TURN); // of which at least one waits
  private final TreeSet<Siblings> oldest = new TreeSet<>(AGE); // of which also none runs
  private int overtakes;

  /** Adds a sequence; its place in the order of arrival must be set. */
  void add(Sequence sequence) {
    take(sequence.place().siblings());
    sequence.place().siblings().waiting().add(sequence);
    put(sequence.place().siblings());
    all.add(sequence);
  }

  void remove(Sequence sequence) {
    if (all.remove(sequence)) {
      take(sequence.place().siblings());
      sequence.place().siblings().waiting().remove(sequence);
      put(sequence.place().siblings());
    }
  }

  boolean isEmpty() {
    return turns.isEmpty();
  }

  /** Returns the next sequence to admit; there must be one. */
  Sequence next() {
    if (overtakes >= MAX_OVERTAKES && !oldest.isEmpty()) {
      Sequence overtaken = oldest.first().oldest();
      if (!overtaken.place().promoted()) {
        remove(overtaken);
        overtaken.place().promote();
        add(overtaken);
      }
    }
    return turns.first().waiting().first();
  }

  /** Removes the next sequence, which is admitted. */
  void admitNext() {
    Sequence next = next();
    if (next.place().siblings().running() == 0) {
      overtakes = next.place().siblings() == oldest.first() ? 0 : overtakes + 1;
    }
    remove(next);
  }

  /** Notes that one more or one less sequence of a request runs. */
  void running(Siblings siblings, int change) {
    take(siblings);
    siblings.addRunning(change);
    put(siblings);
  }

  /** All waiting sequences, in rank. */
  Collection<Sequence> all() {
    return Collections.unmodifiableSet(all);
  }

  /** Takes a request out of the order before something changes that decides its turn. */
  private void take(Siblings siblings) {
    if (!siblings.waiting().isEmpty()) {
      turns.remove(siblings);
      oldest.remove(siblings);
    }
  }

  private void put(Siblings siblings) {
    if (!siblings.waiting().isEmpty()) {
      turns.add(siblings);
      if (siblings.running() == 0) {
        oldest.add(siblings);
      }
    }
  }
}

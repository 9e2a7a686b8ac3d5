package dev.flinfer.engine.batching;

import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * The sequences of a failed step, in the order in which they are tried by themselves. A sequence
 * with generated tokens has passed steps before and is less likely to be the cause, so it is tried
 * last, and not at all once the cause is found: otherwise each of many bad requests would make all
 * running sequences run by themselves.
 */
final class Suspects {
  private static final Comparator<Sequence> ORDER =
      Comparator.comparing(Suspects::hasToken).thenComparing(Waiting.RANK);

  private final Set<Sequence> sequences = new LinkedHashSet<>();

  private static boolean hasToken(Sequence sequence) {
    return sequence.generated() > 0;
  }

  void add(Collection<Sequence> ofStep) {
    ofStep.stream().sorted(ORDER).forEach(sequences::add);
  }

  boolean remove(Sequence sequence) {
    return sequences.remove(sequence);
  }

  /** Drops the sequences with tokens, because the cause is found. */
  void causeFound() {
    sequences.removeIf(Suspects::hasToken);
  }

  boolean isEmpty() {
    return sequences.isEmpty();
  }

  Sequence first() {
    return sequences.iterator().next();
  }
}

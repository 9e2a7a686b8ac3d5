package dev.flinfer.engine.batching;

import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * The sequences of a failed step, in the order in which they are tried alone. One that has a token
 * came through steps before and is less likely to blame, so it is tried last, and not at all once
 * another was found: else a flood of bad requests would have everything that runs computed alone
 * for each of them.
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

  /** One was found to blame. */
  void explained() {
    sequences.removeIf(Suspects::hasToken);
  }

  boolean isEmpty() {
    return sequences.isEmpty();
  }

  Sequence first() {
    return sequences.iterator().next();
  }
}

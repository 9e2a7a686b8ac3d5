package dev.flinfer.engine.batching;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * What one computed step did to its sequences: which finished, whose logits are NaN, and on which
 * the sampling failed. There is one for all steps, so that a step makes no objects.
 */
final class StepOutcome {
  private final Set<Sequence> finished = new LinkedHashSet<>();
  private final Set<Sequence> withoutNumbers = new LinkedHashSet<>();
  private final Map<Sequence, RuntimeException> broken = new LinkedHashMap<>();

  void clear() {
    finished.clear();
    withoutNumbers.clear();
    broken.clear();
  }

  void finished(Sequence sequence) {
    finished.add(sequence);
  }

  /** The sequence's logits are NaN. */
  void withoutNumbers(Sequence sequence) {
    withoutNumbers.add(sequence);
  }

  /** Host code failed on the sequence. */
  void broken(Sequence sequence, RuntimeException cause) {
    broken.put(sequence, cause);
  }

  /** Whether nothing is known against a sequence. */
  boolean sound(Sequence sequence) {
    return !broken.containsKey(sequence) && !withoutNumbers.contains(sequence);
  }

  void forEachFinished(Consumer<Sequence> action) {
    if (!finished.isEmpty()) { // mostly it is, and an iterator is an object
      finished.forEach(action);
    }
  }

  void forEachBroken(BiConsumer<Sequence, RuntimeException> action) {
    broken.forEach(action);
  }

  /** The sequences whose logits are NaN. */
  Collection<Sequence> withoutNumbers() {
    return withoutNumbers;
  }
}

package dev.flinfer.engine.batching;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/**
 * The effect of one computed step on its sequences: which finished, whose logits are NaN, and on
 * which the sampling failed. One object is reused by all steps, so that a step allocates nothing.
 */
final class StepOutcome {
  private final Set<Sequence> finished = new LinkedHashSet<>();
  private final Set<Sequence> nanLogits = new LinkedHashSet<>();
  private final Map<Sequence, Throwable> failed = new LinkedHashMap<>();

  void clear() {
    finished.clear();
    nanLogits.clear();
    failed.clear();
  }

  void finished(Sequence sequence) {
    finished.add(sequence);
  }

  /** The sequence's logits are NaN. */
  void nanLogits(Sequence sequence) {
    nanLogits.add(sequence);
  }

  /** Sampling failed on the sequence. */
  void failed(Sequence sequence, Throwable cause) {
    failed.put(sequence, cause);
  }

  /** Whether its logits are usable and sampling succeeded. */
  boolean sound(Sequence sequence) {
    return !failed.containsKey(sequence) && !nanLogits.contains(sequence);
  }

  void forEachFinished(Consumer<Sequence> action) {
    if (!finished.isEmpty()) { // usually it is, and an iterator is an allocation
      finished.forEach(action);
    }
  }

  void forEachFailed(BiConsumer<Sequence, Throwable> action) {
    failed.forEach(action);
  }

  /** The sequences whose logits are NaN. */
  Collection<Sequence> nanLogits() {
    return nanLogits;
  }
}

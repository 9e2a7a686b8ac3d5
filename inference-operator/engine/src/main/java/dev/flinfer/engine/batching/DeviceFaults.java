package dev.flinfer.engine.batching;

import dev.flinfer.engine.ModelInfo;
import dev.flinfer.engine.RequestFailedException;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.StepBuffers;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * What becomes of a forward pass that failed. Its requests are computed again one by one, so that
 * the one it fails on is known; that one is given up after its listener's {@code maxAttempts}, but
 * only where the device still computes something: one token alone. Else the device is dead, and
 * giving up request after request would empty the input into the dead letter queue.
 *
 * <p>Everything here runs on the engine's thread.
 */
final class DeviceFaults {
  private final ForwardPass forward;
  private final ModelInfo model;
  private final Scheduler scheduler;
  private final BlockPool pool;
  private final EngineCounters counters;

  DeviceFaults(
      ForwardPass forward,
      ModelInfo model,
      Scheduler scheduler,
      BlockPool pool,
      EngineCounters counters) {
    this.forward = forward;
    this.model = model;
    this.scheduler = scheduler;
    this.pool = pool;
    this.counters = counters;
  }

  /**
   * A forward pass threw.
   *
   * @throws IllegalStateException if the device is dead
   */
  void stepFailed(List<Scheduled> step, RuntimeException cause) {
    Set<Sequence> sequences = new LinkedHashSet<>();
    step.forEach(scheduled -> sequences.add(scheduled.sequence().root()));
    boolean alone = sequences.size() == 1;
    counters.failedStep();
    scheduler.suspect(sequences, alone);
    if (alone) {
      blame(sequences.iterator().next(), cause);
    }
  }

  /**
   * The logits of these are NaN; the other sequences of the step have theirs.
   *
   * @throws IllegalStateException if those of one token alone are too
   */
  void notNumbers(Collection<Sequence> sequences) {
    if (sequences.isEmpty()) {
      return;
    }
    counters.failedStep();
    scheduler.suspect(sequences, true);
    for (Sequence sequence : sequences) {
      blame(sequence, new IllegalStateException("its logits are NaN"));
    }
  }

  /** Host code failed on a request, and would do so again. */
  void broken(Sequence sequence, RuntimeException cause) {
    sequence.status(SequenceStatus.FINISHED_FAILED);
    scheduler.remove(sequence);
    tell(sequence, 0, "Sampling for request %s failed: %s", cause);
  }

  private void blame(Sequence sequence, RuntimeException cause) {
    int attempts = sequence.attempts() + 1;
    sequence.attempts(attempts);
    if (attempts >= sequence.listener().maxAttempts()) {
      probe(sequence, cause);
      sequence.status(SequenceStatus.FINISHED_FAILED);
      scheduler.blame(sequence);
      tell(
          sequence,
          attempts,
          "The forward pass over request %s alone failed " + times(attempts) + ": %s",
          cause);
    }
  }

  private static String times(int attempts) {
    return attempts == 1 ? "once" : attempts + " times";
  }

  private static void tell(Sequence sequence, int attempts, String message, Throwable cause) {
    if (!sequence.cancelled()) {
      String said = message.formatted(sequence.request().getId(), cause);
      sequence.listener().onRequestFailed(new RequestFailedException(said, attempts, cause));
    }
  }

  /** Has the device compute one token. There are blocks: suspects hold none. */
  private void probe(Sequence sequence, RuntimeException cause) {
    int block = pool.allocate();
    int[] first = {0};
    float[] logits = new float[forward.vocabSize()]; // (1, vocab_size)
    try {
      forward.forward(new StepBuffers(first, first, first, new int[][] {{block}}, first), logits);
    } catch (RuntimeException e) {
      e.addSuppressed(cause);
      throw new IllegalStateException(
          "after request %s a forward pass over one token fails too: %s"
              .formatted(sequence.request().getId(), e),
          e);
    } finally {
      pool.release(block);
    }
    for (float logit : logits) {
      if (Float.isNaN(logit)) {
        throw new IllegalStateException(
            "after request %s the logits of one token are NaN; the weights of model %s are broken"
                .formatted(sequence.request().getId(), model.name()),
            cause);
      }
    }
  }
}

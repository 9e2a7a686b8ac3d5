package dev.flinfer.engine.batching;

import dev.flinfer.engine.ModelInfo;
import dev.flinfer.engine.RequestErrors;
import dev.flinfer.engine.RequestFailedException;
import dev.flinfer.engine.blocks.BlockPool;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.StepBuffers;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Handles failed forward passes. The requests of a failed pass are computed again one at a time,
 * which finds the request that the pass fails on. That request is rejected after its listener's
 * {@code maxAttempts}, but only if the device can still compute a single token. Otherwise the
 * device is dead, and rejecting one request after another would move the whole input into the dead
 * letter queue.
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
   * Handles a forward pass that threw.
   *
   * @throws IllegalStateException if the device is dead
   */
  void stepFailed(List<Scheduled> step, Throwable cause) {
    Set<Sequence> sequences = new LinkedHashSet<>();
    step.forEach(scheduled -> sequences.add(scheduled.sequence().root()));
    boolean alone = sequences.size() == 1;
    counters.failedStep();
    scheduler.suspect(sequences, alone);
    if (alone) {
      attemptFailed(sequences.iterator().next(), cause);
    }
  }

  /**
   * Handles sequences whose logits are NaN; those of the other sequences of the step are usable.
   *
   * @throws IllegalStateException if the logits of a single token are NaN too
   */
  void nanLogits(Collection<Sequence> sequences) {
    if (sequences.isEmpty()) {
      return;
    }
    counters.failedStep();
    scheduler.suspect(sequences, true);
    for (Sequence sequence : sequences) {
      attemptFailed(sequence, new IllegalStateException("its logits are NaN"));
    }
  }

  /** Handles an error in sampling, which would occur again. */
  void samplingFailed(Sequence sequence, Throwable cause) {
    failed(sequence, "Sampling for", cause);
  }

  /**
   * Runs work of the host for one request. If it throws it would throw again, so the request is
   * rejected.
   *
   * @return the work's result; null if it threw
   * @throws Error if it is not the request's
   */
  <T> T confine(Sequence sequence, String doing, Supplier<T> work) {
    try {
      return work.get();
    } catch (RuntimeException | StackOverflowError | OutOfMemoryError e) {
      RequestErrors.requireOfRequest(e);
      failed(sequence, doing, e);
      return null;
    }
  }

  private void failed(Sequence sequence, String doing, Throwable cause) {
    sequence.status(SequenceStatus.FINISHED_FAILED);
    scheduler.remove(sequence);
    notifyListener(sequence, 0, doing + " request %s failed: %s", cause);
  }

  private void attemptFailed(Sequence sequence, Throwable cause) {
    int attempts = sequence.attempts() + 1;
    sequence.attempts(attempts);
    if (attempts >= sequence.listener().maxAttempts()) {
      probe(sequence, cause);
      sequence.status(SequenceStatus.FINISHED_FAILED);
      scheduler.removeFailing(sequence);
      notifyListener(
          sequence,
          attempts,
          "The forward pass over request %s alone failed " + times(attempts) + ": %s",
          cause);
    }
  }

  private static String times(int attempts) {
    return attempts == 1 ? "once" : attempts + " times";
  }

  private static void notifyListener(
      Sequence sequence, int attempts, String message, Throwable cause) {
    if (!sequence.cancelled()) {
      String text = message.formatted(sequence.request().getId(), cause);
      sequence.listener().onRequestFailed(new RequestFailedException(text, attempts, cause));
    }
  }

  /** Computes one token on the device. A block is free, because suspects hold none. */
  private void probe(Sequence sequence, Throwable cause) {
    int block = pool.allocate();
    int[] first = {0};
    float[] logits = new float[forward.vocabSize()]; // (1, vocab_size)
    try {
      forward.forward(new StepBuffers(first, first, first, new int[][] {{block}}, first), logits);
    } catch (RuntimeException | Error e) {
      if (e != cause) { // the virtual machine may throw one error object twice
        e.addSuppressed(cause);
      }
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

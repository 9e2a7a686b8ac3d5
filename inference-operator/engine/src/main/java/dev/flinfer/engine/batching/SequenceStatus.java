package dev.flinfer.engine.batching;

import dev.flinfer.schema.FinishReason;

/** Where a sequence is on its way; the states are those of vLLM's {@code RequestStatus}. */
enum SequenceStatus {
  /** It was never scheduled. */
  WAITING,
  /** It takes part in steps and holds KV blocks. */
  RUNNING,
  /** It gave its KV blocks back and waits to be computed again. */
  PREEMPTED,
  /** The end-of-text token, a stop token, a stop string or a pattern ended it. */
  FINISHED_STOPPED(FinishReason.STOP),
  /** It reached {@code max_tokens} or {@code max_model_len}. */
  FINISHED_LENGTH_CAPPED(FinishReason.LENGTH),
  /** All its labels are scored. */
  FINISHED_CHOICE(FinishReason.CHOICE),
  /** Its deadline passed. */
  FINISHED_DEADLINE(FinishReason.DEADLINE),
  /** Given up: the forward pass or the sampling fails on it. */
  FINISHED_FAILED,
  /** Cancelled by its caller. */
  FINISHED_ABORTED;

  private final FinishReason reason; // null for those without a completion

  SequenceStatus() {
    this(null);
  }

  SequenceStatus(FinishReason reason) {
    this.reason = reason;
  }

  boolean finished() {
    return compareTo(PREEMPTED) > 0;
  }

  /** What its completion says; null where it is not finished, or has no completion. */
  FinishReason finishReason() {
    return reason;
  }
}

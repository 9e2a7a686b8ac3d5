package dev.flinfer.engine.batching;

import dev.flinfer.schema.FinishReason;

/** The state of a sequence; the states are those of vLLM's {@code RequestStatus}. */
enum SequenceStatus {
  /** It was never scheduled. */
  WAITING,
  /** It takes part in steps and holds KV blocks. */
  RUNNING,
  /** It lost its KV blocks and waits to be computed again. */
  PREEMPTED,
  /** It ended with the end-of-text token, a stop token, a stop string or its pattern. */
  FINISHED_STOPPED(FinishReason.STOP),
  /** It reached {@code max_tokens} or {@code max_model_len}. */
  FINISHED_LENGTH_CAPPED(FinishReason.LENGTH),
  /** All its labels are scored. */
  FINISHED_CHOICE(FinishReason.CHOICE),
  /** Its deadline passed. */
  FINISHED_DEADLINE(FinishReason.DEADLINE),
  /** The forward pass or the sampling fails on it. */
  FINISHED_FAILED,
  /** Cancelled by its caller. */
  FINISHED_ABORTED;

  private final FinishReason reason; // null without a completion

  SequenceStatus() {
    this(null);
  }

  SequenceStatus(FinishReason reason) {
    this.reason = reason;
  }

  boolean finished() {
    return compareTo(PREEMPTED) > 0;
  }

  /** The reason in its completion; null if it is not finished or has no completion. */
  FinishReason finishReason() {
    return reason;
  }
}

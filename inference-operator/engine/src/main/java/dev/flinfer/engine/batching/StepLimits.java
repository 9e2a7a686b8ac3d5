package dev.flinfer.engine.batching;

import dev.flinfer.engine.EngineOptions;

/**
 * The limits of one step.
 *
 * @param maxNumSeqs maximum number of sequences
 * @param maxNumBatchedTokens maximum number of tokens
 * @param maxNumLogits maximum number of rows of logits, at least {@code maxNumSeqs}
 */
record StepLimits(int maxNumSeqs, int maxNumBatchedTokens, int maxNumLogits) {
  /** So that a few labels need one step even in a small batch; for Phi-2 13 MB of logits. */
  private static final int LOGITS_FOR_CHOICES = 64;

  static StepLimits of(EngineOptions options) {
    int forChoices = Math.min(options.maxNumBatchedTokens(), LOGITS_FOR_CHOICES);
    return new StepLimits(
        options.maxNumSeqs(),
        options.maxNumBatchedTokens(),
        Math.max(options.maxNumSeqs(), forChoices));
  }

  /** What decides the rows of logits, for messages. */
  String logitsOption() {
    return maxNumLogits > maxNumSeqs
        ? "rows of logits (max_num_batched_tokens, up to 64)"
        : "max_num_seqs";
  }
}

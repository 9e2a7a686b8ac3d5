package dev.flinfer.engine.device;

import static dev.flinfer.engine.EngineOption.MAX_NUM_BATCHED_TOKENS;
import static dev.flinfer.engine.EngineOption.MAX_NUM_SEQS;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.OptionNames;

/**
 * The limits of one step.
 *
 * @param maxNumSeqs maximum number of sequences
 * @param maxNumBatchedTokens maximum number of tokens
 * @param maxNumLogits maximum number of rows of logits, at least {@code maxNumSeqs}
 */
public record StepLimits(int maxNumSeqs, int maxNumBatchedTokens, int maxNumLogits) {
  /** So that a few labels need one step even in a small batch; for Phi-2 13 MB of logits. */
  private static final int LOGITS_FOR_CHOICES = 64;

  public static StepLimits of(EngineOptions options) {
    int forChoices = Math.min(options.get(MAX_NUM_BATCHED_TOKENS), LOGITS_FOR_CHOICES);
    return new StepLimits(
        options.get(MAX_NUM_SEQS),
        options.get(MAX_NUM_BATCHED_TOKENS),
        Math.max(options.get(MAX_NUM_SEQS), forChoices));
  }

  /** What decides the rows of logits, for messages. */
  public String logitsOption(OptionNames names) {
    return names.resolve(
        maxNumLogits > maxNumSeqs
            ? "rows of logits ({max-num-batched-tokens}, up to 64)"
            : "{max-num-seqs}");
  }
}

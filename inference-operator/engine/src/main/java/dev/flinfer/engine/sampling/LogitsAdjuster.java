package dev.flinfer.engine.sampling;

import java.util.BitSet;
import java.util.Map;
import java.util.Set;

/**
 * Applies a request's changes to a row of logits before a token is chosen, in vLLM's order: tokens
 * that would end the text too early, logit_bias, repetition, frequency and presence penalties. Last
 * are the tokens that the pattern rules out, so that no other change allows them again. The result
 * is a function of the row, the parameters and the sequence's tokens; the fields are scratch space.
 * Not thread-safe.
 */
public final class LogitsAdjuster {
  private final Set<Integer> eosTokenIds;
  private final float[] row; // (vocab_size)
  private final int[] counts; // (vocab_size), 0 between calls
  private final BitSet seen;

  public LogitsAdjuster(int vocab, Set<Integer> eosTokenIds) {
    this.eosTokenIds = eosTokenIds;
    this.row = new float[vocab];
    this.counts = new int[vocab];
    this.seen = new BitSet(vocab);
  }

  /**
   * Whether a row must be adjusted at all.
   *
   * @param generated number of tokens generated before
   * @param constraint the place in the pattern; null without a pattern
   */
  public static boolean concerns(SamplingParams params, int generated, Constraint constraint) {
    return !params.penalties().none()
        || !params.logitBias().isEmpty()
        || constraint != null
        || generated < params.stops().minTokens();
  }

  /**
   * Returns the adjusted row, (vocab_size) from 0 on; the next call overwrites it.
   *
   * @param logits the row from the model, (vocab_size) from {@code at} on
   * @param constraint the place in the pattern; null without a pattern
   */
  public float[] adjust(
      float[] logits, int at, SamplingParams params, TokenBuffer tokens, Constraint constraint) {
    System.arraycopy(logits, at, row, 0, row.length);
    StopConditions stops = params.stops();
    if (tokens.generatedLength() < stops.minTokens()) {
      // Also with ignore_eos: then too such a token is not among the first min_tokens.
      forbid(eosTokenIds);
      forbid(stops.tokenIds());
    }
    for (Map.Entry<Integer, Float> bias : params.logitBias().entrySet()) {
      row[bias.getKey()] += bias.getValue();
    }
    if (!params.penalties().none()) {
      penalize(tokens, params.penalties());
    }
    if (constraint != null) {
      constraint.forbid(row, eosTokenIds);
    }
    return row;
  }

  private void forbid(Set<Integer> tokens) {
    for (int token : tokens) {
      if (token < row.length) {
        row[token] = Float.NEGATIVE_INFINITY;
      }
    }
  }

  private void penalize(TokenBuffer tokens, Penalties penalties) {
    if (penalties.repetition() != 1) {
      for (int i = 0; i < tokens.length(); i++) {
        seen.set(tokens.get(i));
      }
      double repetition = penalties.repetition();
      for (int token = seen.nextSetBit(0); token >= 0; token = seen.nextSetBit(token + 1)) {
        float logit = row[token];
        double penalized = logit > 0 ? logit / repetition : logit * repetition;
        // Extremely unlikely is not impossible: a pattern may allow only this token.
        row[token] =
            Float.isFinite(logit)
                ? (float) Math.clamp(penalized, -Float.MAX_VALUE, Float.MAX_VALUE)
                : logit;
      }
      seen.clear();
    }
    for (int i = tokens.promptLength(); i < tokens.length(); i++) {
      counts[tokens.get(i)]++;
    }
    for (int i = tokens.promptLength(); i < tokens.length(); i++) {
      int token = tokens.get(i);
      if (counts[token] > 0) {
        row[token] -= (float) (penalties.frequency() * counts[token] + penalties.presence());
        counts[token] = 0;
      }
    }
  }
}

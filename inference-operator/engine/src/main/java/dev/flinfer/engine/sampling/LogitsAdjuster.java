package dev.flinfer.engine.sampling;

import java.util.BitSet;
import java.util.Map;
import java.util.Set;

/**
 * What a request changes in a row of logits before a token is chosen, in vLLM's order: tokens that
 * would end the text too early, logit_bias, repetition, frequency and presence penalties; at last
 * what the text's pattern rules out, so that nothing brings it back. A function of the row, the
 * parameters and the sequence's tokens; the fields are scratch space. Not thread-safe.
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
   * @param generated tokens that were generated before
   * @param constraint what the text must match; null where it is free
   */
  public static boolean concerns(SamplingParams params, int generated, Constraint constraint) {
    return !params.penalties().none()
        || !params.logitBias().isEmpty()
        || constraint != null
        || generated < params.stops().minTokens();
  }

  /**
   * The adjusted row, (vocab_size) from 0 on; overwritten by the next call.
   *
   * @param logits the row as the model gave it, (vocab_size) from {@code at} on
   * @param constraint what the text must match; null where it is free
   */
  public float[] adjust(
      float[] logits, int at, SamplingParams params, TokenBuffer tokens, Constraint constraint) {
    System.arraycopy(logits, at, row, 0, row.length);
    StopConditions stops = params.stops();
    if (tokens.generatedLength() < stops.minTokens()) {
      // Also with ignore_eos: such a token is not of the text's first min_tokens either.
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
        // Unlikely beyond measure is not impossible: it may be all that a pattern allows.
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

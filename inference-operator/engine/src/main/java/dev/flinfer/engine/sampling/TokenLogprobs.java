package dev.flinfer.engine.sampling;

import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.device.TopLogits;
import java.util.Arrays;

/**
 * Log-probabilities at one position under the model: before penalties, temperature and all else.
 *
 * @param chosen of the chosen token
 * @param topTokens (k) the most likely tokens, the most likely first
 * @param top (k) theirs
 */
@SuppressWarnings("ArrayRecordComponent") // handed on, never compared
public record TokenLogprobs(float chosen, int[] topTokens, float[] top) {
  /** Where none were asked for. */
  public static final TokenLogprobs NONE = new TokenLogprobs(Float.NaN, new int[0], new float[0]);

  /** Those of a token that was generated before; {@link #NONE} where it has none. */
  public static TokenLogprobs of(GeneratedTokens generated, int index) {
    if (generated.logprobs().length == 0) {
      return NONE;
    }
    int k = generated.alternativesOfToken();
    int from = index * k;
    return new TokenLogprobs(
        generated.logprobs()[index],
        Arrays.copyOfRange(generated.topTokens(), from, from + k),
        Arrays.copyOfRange(generated.topLogprobs(), from, from + k));
  }

  /**
   * Those of a chosen token, from a row of logits.
   *
   * @param logits the row as the model gave it, (vocab_size) from {@code at} on
   * @param token the chosen one
   * @param count of the most likely ones to name
   */
  public static TokenLogprobs of(float[] logits, int at, int vocab, int token, int count) {
    double max = logits[at + Sampler.argmax(logits, at, vocab)];
    double sum = 0;
    for (int i = 0; i < vocab; i++) {
      sum += StrictMath.exp(logits[at + i] - max);
    }
    double logSum = StrictMath.log(sum);
    long[] best = count == 0 ? new long[0] : TopTokens.of(logits, at, vocab, count);
    int[] topTokens = new int[best.length];
    float[] top = new float[best.length];
    for (int i = 0; i < best.length; i++) {
      topTokens[i] = TopTokens.token(best[i]);
      top[i] = (float) (logits[at + topTokens[i]] - max - logSum);
    }
    return new TokenLogprobs((float) (logits[at + token] - max - logSum), topTokens, top);
  }

  /**
   * Of the most likely token, as a device gave it.
   *
   * @param count of the most likely ones to name
   */
  public static TokenLogprobs of(TopLogits given, int row, int count) {
    double max = given.logit(row, 0);
    double logSum = StrictMath.log(given.sum(row));
    int[] topTokens = new int[count];
    float[] top = new float[count];
    for (int i = 0; i < count; i++) {
      topTokens[i] = given.token(row, i);
      top[i] = (float) (given.logit(row, i) - max - logSum);
    }
    return new TokenLogprobs((float) -logSum, topTokens, top);
  }
}

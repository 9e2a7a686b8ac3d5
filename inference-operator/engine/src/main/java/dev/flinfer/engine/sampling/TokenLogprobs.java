package dev.flinfer.engine.sampling;

import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.device.TopLogits;
import java.util.Arrays;

/**
 * Log-probabilities at one position under the model, before penalties, temperature and all other
 * parameters.
 *
 * @param chosen the log-probability of the chosen token
 * @param topTokens (k) the most likely tokens, the most likely first
 * @param top (k) the log-probabilities of {@code topTokens}
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record TokenLogprobs(float chosen, int[] topTokens, float[] top) {
  /** No log-probabilities, for a request that asks for none. */
  public static final TokenLogprobs NONE = new TokenLogprobs(Float.NaN, new int[0], new float[0]);

  /** Returns those of a token that was generated before; {@link #NONE} if it has none. */
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
   * Computes those of a chosen token from a row of logits.
   *
   * @param logits the row from the model, (vocab_size) from {@code at} on
   * @param token the chosen token
   * @param count number of most likely tokens to return
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
   * Computes those of the most likely token from what a device returned.
   *
   * @param count number of most likely tokens to return
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

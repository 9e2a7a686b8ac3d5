package dev.flinfer.engine;

/**
 * Log-probabilities at one position under the model: before penalties, temperature and all else.
 *
 * @param chosen of the chosen token
 * @param topTokens (k) the most likely tokens, the most likely first
 * @param top (k) theirs
 */
@SuppressWarnings("ArrayRecordComponent") // handed on, never compared
record TokenLogprobs(float chosen, int[] topTokens, float[] top) {
  /** Where none were asked for. */
  static final TokenLogprobs NONE = new TokenLogprobs(Float.NaN, new int[0], new float[0]);

  /**
   * @param logits the row as the model gave it, (vocab_size) from {@code at} on
   * @param token the chosen one
   * @param count of the most likely ones to name
   */
  static TokenLogprobs of(float[] logits, int at, int vocab, int token, int count) {
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
  static TokenLogprobs of(TopLogits given, int row, int count) {
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

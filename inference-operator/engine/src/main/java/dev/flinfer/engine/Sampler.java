package dev.flinfer.engine;

import java.util.Arrays;

/**
 * Chooses a token from a row of logits. Pure: the choice depends on the logits, the parameters and
 * the token's position in the completion, and on nothing that came before.
 */
final class Sampler {
  private Sampler() {}

  /**
   * The token at a position of the completion.
   *
   * @param logits the row, (vocab_size) from {@code at} on
   * @param position 0 for the first generated token
   */
  static int sample(float[] logits, int at, int vocab, SamplingParams params, int position) {
    if (params.greedy()) {
      return argmax(logits, at, vocab);
    }
    double u = uniform(params.seed(), position);
    boolean all = params.topP() == 1 && (params.topK() == 0 || params.topK() >= vocab);
    return all
        ? sampleAll(logits, at, vocab, params.temperature(), u)
        : sampleTop(logits, at, vocab, params, u);
  }

  /** The first of the most likely tokens. */
  static int argmax(float[] logits, int at, int vocab) {
    int best = 0;
    for (int i = 1; i < vocab; i++) {
      if (logits[at + i] > logits[at + best]) {
        best = i;
      }
    }
    return best;
  }

  /** The token's log-probability under the model: before temperature, top_k and top_p. */
  static float logprob(float[] logits, int at, int vocab, int token) {
    double max = logits[at + argmax(logits, at, vocab)];
    double sum = 0;
    for (int i = 0; i < vocab; i++) {
      sum += StrictMath.exp(logits[at + i] - max);
    }
    return (float) (logits[at + token] - max - StrictMath.log(sum));
  }

  private static int sampleAll(float[] logits, int at, int vocab, double temperature, double u) {
    double[] weights = new double[vocab];
    double max = logits[at + argmax(logits, at, vocab)];
    double sum = 0;
    for (int i = 0; i < vocab; i++) {
      weights[i] = StrictMath.exp((logits[at + i] - max) / temperature);
      sum += weights[i];
    }
    double target = u * sum;
    int last = 0;
    for (int i = 0; i < vocab; i++) {
      if (weights[i] > 0) {
        last = i;
        target -= weights[i];
        if (target < 0) {
          break;
        }
      }
    }
    return last;
  }

  /** top_k first, top_p of what it leaves: vLLM's order. */
  private static int sampleTop(float[] logits, int at, int vocab, SamplingParams params, double u) {
    long[] order = descending(logits, at, vocab);
    int kept = params.topK() == 0 ? vocab : Math.min(params.topK(), vocab);
    double[] weights = new double[kept];
    double max = logits[at + token(order[0])];
    double sum = 0;
    for (int i = 0; i < kept; i++) {
      weights[i] = StrictMath.exp((logits[at + token(order[i])] - max) / params.temperature());
      sum += weights[i];
    }
    double mass = 0;
    int nucleus = 0;
    while (nucleus < kept && mass < params.topP() * sum) {
      mass += weights[nucleus++];
    }
    double target = u * mass;
    int i = 0;
    while (i < nucleus - 1 && target >= weights[i]) {
      target -= weights[i++];
    }
    return token(order[i]);
  }

  /** The tokens by falling logit, equal ones by rising id: the id in the low half of each long. */
  private static long[] descending(float[] logits, int at, int vocab) {
    long[] order = new long[vocab];
    for (int i = 0; i < vocab; i++) {
      int bits = Float.floatToIntBits(logits[at + i]);
      // The bits of negative floats order backwards as whole numbers.
      int ascending = bits ^ (bits >> 31 & Integer.MAX_VALUE);
      order[i] = (long) ~ascending << 32 | i;
    }
    Arrays.sort(order);
    return order;
  }

  private static int token(long entry) {
    return (int) entry;
  }

  /**
   * A number from 0 (included) to 1 (excluded) that depends on seed and position alone:
   * SplitMix64's output function (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number
   * Generators", 2014), applied to the seed and again to seed and position.
   */
  static double uniform(long seed, int position) {
    long mixed = mix(mix(seed) + 0x9e3779b97f4a7c15L * (position + 1L));
    return (mixed >>> 11) * 0x1.0p-53;
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}

package dev.flinfer.engine;

/**
 * Chooses a token from a row of logits, adjusted where the request asks for it. Pure: the choice
 * depends on the logits, the parameters and the token's position in the completion.
 */
final class Sampler {
  /** A nucleus is looked for in so many tokens before all are sorted; mostly it is in there. */
  private static final int[] FIRST_RANKS = {64, 1024};

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
    return all ? sampleAll(logits, at, vocab, params, u) : sampleTop(logits, at, vocab, params, u);
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

  private static int sampleAll(float[] logits, int at, int vocab, SamplingParams params, double u) {
    double[] weights = new double[vocab];
    double target = u * weigh(logits, at, params, weights);
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

  /** min_p first, then top_k of what it leaves, then top_p of what both leave: vLLM's order. */
  private static int sampleTop(float[] logits, int at, int vocab, SamplingParams params, double u) {
    if (params.topK() > 0 && params.topK() < vocab) {
      long[] order = TopTokens.of(logits, at, vocab, params.topK());
      double[] weights = new double[order.length];
      double max = logits[at + TopTokens.token(order[0])];
      double sum = 0;
      for (int i = 0; i < order.length; i++) {
        weights[i] = weight(logits[at + TopTokens.token(order[i])] - max, params);
        sum += weights[i];
      }
      int kept = nucleus(weights, params.topP() * sum);
      return draw(order, weights, kept, u);
    }
    // The sum needs no order of the tokens.
    double[] byId = new double[vocab];
    double wanted = params.topP() * weigh(logits, at, params, byId);
    for (int ranks : FIRST_RANKS) {
      if (ranks < vocab) {
        long[] order = TopTokens.of(logits, at, vocab, ranks);
        double[] weights = ranked(byId, order);
        int kept = nucleus(weights, wanted);
        if (kept < ranks) {
          return draw(order, weights, kept, u);
        }
      }
    }
    long[] order = TopTokens.of(logits, at, vocab, vocab);
    double[] weights = ranked(byId, order);
    return draw(order, weights, nucleus(weights, wanted), u);
  }

  private static double[] ranked(double[] byId, long[] order) {
    double[] weights = new double[order.length];
    for (int i = 0; i < order.length; i++) {
      weights[i] = byId[TopTokens.token(order[i])];
    }
    return weights;
  }

  /** How many of the most likely tokens reach a weight together, or are above min_p. */
  private static int nucleus(double[] weights, double wanted) {
    double mass = 0;
    int count = 0;
    while (count < weights.length && weights[count] > 0 && mass < wanted) {
      mass += weights[count++];
    }
    return count;
  }

  private static int draw(long[] order, double[] weights, int count, double u) {
    double mass = 0;
    for (int i = 0; i < count; i++) {
      mass += weights[i];
    }
    double target = u * mass;
    int i = 0;
    while (i < count - 1 && target >= weights[i]) {
      target -= weights[i++];
    }
    return TopTokens.token(order[i]);
  }

  /** Fills in the weights of all tokens, by id, and adds them up: 1 for the most likely. */
  private static double weigh(float[] logits, int at, SamplingParams params, double[] weights) {
    double max = logits[at + argmax(logits, at, weights.length)];
    double sum = 0;
    for (int i = 0; i < weights.length; i++) {
      weights[i] = weight(logits[at + i] - max, params);
      sum += weights[i];
    }
    return sum;
  }

  /** Relative to the most likely token's; 0 below min_p. */
  private static double weight(double belowMax, SamplingParams params) {
    double weight = StrictMath.exp(belowMax / params.temperature());
    return weight >= params.minP() ? weight : 0;
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

  /**
   * The seed of one of several outputs. Not seed + index, as in vLLM: there the second output of
   * seed 1 is the first of seed 2.
   */
  static long seedOfOutput(long seed, int index) {
    return index == 0 ? seed : mix(mix(seed) - 0x9e3779b97f4a7c15L * index);
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}

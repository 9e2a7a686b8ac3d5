package dev.flinfer.engine.sampling;

/**
 * Chooses a token from a row of logits, which may be adjusted. The choice depends only on the
 * logits, the parameters and the token's position in the completion; the fields are scratch space.
 * Not thread-safe.
 */
public final class Sampler {
  /** The top_p set is searched in this many tokens before all are sorted; usually that suffices. */
  private static final int[] FIRST_RANKS = {64, 1024};

  private final int vocab;
  private final double[] weights; // (vocab_size)
  private final long[] order; // (vocab_size), the most likely tokens in order
  private final double[] ranked; // (vocab_size), their weights in this order
  private final Exponentials exponentials;

  public Sampler(int vocab) {
    this.vocab = vocab;
    this.weights = new double[vocab];
    this.order = new long[vocab];
    this.ranked = new double[vocab];
    this.exponentials = new Exponentials(vocab);
  }

  /**
   * Returns the token at a position of the completion.
   *
   * @param logits the row, (vocab_size) from {@code at} on
   * @param position 0 for the first generated token
   */
  public int sample(float[] logits, int at, SamplingParams params, int position) {
    if (params.greedy()) {
      return argmax(logits, at, vocab);
    }
    double u = uniform(params.seed(), position);
    boolean all = params.topP() == 1 && (params.topK() == 0 || params.topK() >= vocab);
    return all ? sampleAll(logits, at, params, u) : sampleTop(logits, at, params, u);
  }

  /** The most likely token, the first of a tie. */
  static int argmax(float[] logits, int at, int vocab) {
    int best = at;
    float max = logits[at]; // in a register: reading it again from the array takes twice as long
    for (int i = at + 1; i < at + vocab; i++) {
      float logit = logits[i];
      if (logit > max) {
        max = logit;
        best = i;
      }
    }
    return best - at;
  }

  private int sampleAll(float[] logits, int at, SamplingParams params, double u) {
    double target = u * weigh(logits, at, params);
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

  /** Applies min_p, then top_k to what remains, then top_p to what remains: vLLM's order. */
  private int sampleTop(float[] logits, int at, SamplingParams params, double u) {
    if (params.topK() > 0 && params.topK() < vocab) {
      TopTokens.fill(logits, at, vocab, params.topK(), order);
      double max = logits[at + TopTokens.token(order[0])];
      double sum = 0;
      for (int i = 0; i < params.topK(); i++) {
        ranked[i] = weight(logits[at + TopTokens.token(order[i])] - max, params);
        sum += ranked[i];
      }
      return pick(nucleus(params.topK(), params.topP() * sum), u);
    }
    // The sum does not need the tokens in order.
    double target = params.topP() * weigh(logits, at, params);
    for (int ranks : FIRST_RANKS) {
      if (ranks < vocab) {
        rank(logits, at, ranks);
        int kept = nucleus(ranks, target);
        if (kept < ranks) {
          return pick(kept, u);
        }
      }
    }
    rank(logits, at, vocab);
    return pick(nucleus(vocab, target), u);
  }

  /** Sorts the most likely tokens and their weights. */
  private void rank(float[] logits, int at, int ranks) {
    TopTokens.fill(logits, at, vocab, ranks, order);
    for (int i = 0; i < ranks; i++) {
      ranked[i] = weights[TopTokens.token(order[i])];
    }
  }

  /** The number of most likely tokens that together reach a weight, or are above min_p. */
  private int nucleus(int ranks, double target) {
    double mass = 0;
    int count = 0;
    while (count < ranks && ranked[count] > 0 && mass < target) {
      mass += ranked[count++];
    }
    return count;
  }

  private int pick(int count, double u) {
    double mass = 0;
    for (int i = 0; i < count; i++) {
      mass += ranked[i];
    }
    double target = u * mass;
    int i = 0;
    while (i < count - 1 && target >= ranked[i]) {
      target -= ranked[i++];
    }
    return TopTokens.token(order[i]);
  }

  /** Fills in the weights of all tokens, by id, 1 for the most likely, and returns their sum. */
  private double weigh(float[] logits, int at, SamplingParams params) {
    double max = logits[at + argmax(logits, at, vocab)];
    exponentials.fill(logits, at, max, params.temperature(), weights);
    double sum = 0;
    for (int i = 0; i < vocab; i++) {
      weights[i] = weights[i] >= params.minP() ? weights[i] : 0;
      sum += weights[i];
    }
    return sum;
  }

  /** The weight relative to that of the most likely token; 0 below min_p. */
  private static double weight(double belowMax, SamplingParams params) {
    double weight = StrictMath.exp(belowMax / params.temperature());
    return weight >= params.minP() ? weight : 0;
  }

  /**
   * A number from 0 (included) to 1 (excluded) that depends only on seed and position: SplitMix64's
   * output function (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014),
   * applied to the seed and again to seed and position.
   */
  static double uniform(long seed, int position) {
    long mixed = mix(mix(seed) + 0x9e3779b97f4a7c15L * (position + 1L));
    return (mixed >>> 11) * 0x1.0p-53;
  }

  /**
   * The seed of one of several outputs. It is not seed + index as in vLLM, where the second output
   * of seed 1 is the first output of seed 2.
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

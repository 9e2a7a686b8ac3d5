package dev.flinfer.engine.sampling;

import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Sampling by the definition: sorts the full row and applies the parameters in sequence. */
final class PlainSampler {
  private PlainSampler() {}

  static int sample(float[] logits, int at, int vocab, SamplingParams params, int position) {
    List<Integer> ranked =
        IntStream.range(0, vocab)
            .boxed()
            .sorted(Comparator.comparing(i -> -logits[at + i])) // stable: ties by id
            .toList();
    double max = logits[at + ranked.get(0)];
    double[] weights = new double[vocab];
    for (int i = 0; i < vocab; i++) {
      double weight = StrictMath.exp((logits[at + i] - max) / params.temperature());
      weights[i] = weight < params.minP() ? 0 : weight;
    }
    double u = Sampler.uniform(params.seed(), position);
    boolean topK = params.topK() > 0 && params.topK() < vocab;
    if (!topK && params.topP() == 1) {
      return draw(IntStream.range(0, vocab).boxed().toList(), weights, 1, sum(null, weights), u);
    }
    List<Integer> kept = topK ? ranked.subList(0, params.topK()) : ranked;
    return draw(kept, weights, params.topP(), sum(topK ? kept : null, weights), u);
  }

  private static double sum(List<Integer> tokens, double[] weights) {
    double sum = 0;
    for (int i = 0; i < (tokens == null ? weights.length : tokens.size()); i++) {
      sum += weights[tokens == null ? i : tokens.get(i)];
    }
    return sum;
  }

  private static int draw(
      List<Integer> order, double[] weights, double topP, double sum, double u) {
    double mass = 0;
    int nucleus = 0;
    while (nucleus < order.size() && mass < topP * sum) {
      mass += weights[order.get(nucleus++)];
    }
    double target = u * mass;
    int chosen = order.get(0);
    for (int i = 0; i < nucleus; i++) {
      int token = order.get(i);
      if (weights[token] > 0) {
        chosen = token;
        if (target < weights[token]) {
          break;
        }
        target -= weights[token];
      }
    }
    return chosen;
  }
}

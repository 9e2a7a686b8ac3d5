package dev.flinfer.engine.choices;

import dev.flinfer.schema.Completion;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The outcome of a choice.
 *
 * @param probabilities (labels), with a sum of 1
 * @param chosen index of the label that the method selects
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record LabelScores(List<String> labels, double[] probabilities, int chosen) {

  /** Writes the chosen label and the probability of each into a completion. */
  public void writeTo(Completion completion) {
    Map<String, Double> byLabel = new LinkedHashMap<>();
    for (int i = 0; i < probabilities.length; i++) {
      byLabel.put(labels.get(i), probabilities[i]);
    }
    completion.setText(labels.get(chosen));
    completion.setLabel(labels.get(chosen));
    completion.setLabelProbabilities(byLabel);
    completion.setLabelMargin(margin());
    completion.setLabelEntropy(entropy());
  }

  private double margin() {
    double second = 0;
    for (int i = 0; i < probabilities.length; i++) {
      second = i == chosen ? second : Math.max(second, probabilities[i]);
    }
    return probabilities[chosen] - second;
  }

  private double entropy() {
    double entropy = 0;
    for (double p : probabilities) {
      entropy -= p > 0 ? p * StrictMath.log(p) : 0;
    }
    return entropy;
  }

  static double mean(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum / values.length;
  }

  /** The index of the greatest value, the first of a tie. */
  static int greatest(double[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      best = values[i] > values[best] ? i : best;
    }
    return best;
  }

  static double[] softmax(double[] values) {
    double max = values[greatest(values)];
    double[] weights = new double[values.length];
    double sum = 0;
    for (int i = 0; i < values.length; i++) {
      weights[i] = StrictMath.exp(values[i] - max);
      sum += weights[i];
    }
    for (int i = 0; i < values.length; i++) {
      weights[i] /= sum;
    }
    return weights;
  }
}

package dev.flinfer.engine.choices;

import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.device.NaivePhi;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Scores labels by brute force: a full forward pass in doubles for each, with one token per byte.
 */
final class LabelOracle {
  private final NaivePhi model;

  LabelOracle(RandomCheckpoint checkpoint) {
    this.model = new NaivePhi(checkpoint);
  }

  /** The mean log-probability of each label's tokens after the prompt. */
  double[] meanLogprobs(String prompt, List<String> labels) {
    return labels.stream().mapToDouble(label -> mean(logprobs(prompt, label))).toArray();
  }

  /** The same minus that of the labels without the prompt, where the first token counts as 0. */
  double[] lessUnconditional(String prompt, List<String> labels) {
    return labels.stream()
        .mapToDouble(label -> mean(logprobs(prompt, label)) - mean(logprobs("", label)))
        .toArray();
  }

  /** The log-probability of each of a label's tokens; 0 for a first token without a prompt. */
  List<Double> logprobs(String prompt, String label) {
    int[] before = bytes(prompt);
    int[] all = bytes(prompt + label);
    double[][] logits = model.logits(all);
    List<Double> logprobs = new ArrayList<>();
    for (int i = before.length; i < all.length; i++) {
      logprobs.add(i == 0 ? 0 : logprob(logits[i - 1], all[i]));
    }
    return logprobs;
  }

  static double[] softmax(double[] scores) {
    double sum = 0;
    for (double score : scores) {
      sum += Math.exp(score);
    }
    double[] probabilities = new double[scores.length];
    for (int i = 0; i < scores.length; i++) {
      probabilities[i] = Math.exp(scores[i]) / sum;
    }
    return probabilities;
  }

  static double mean(List<Double> values) {
    return values.stream().mapToDouble(v -> v).average().orElseThrow();
  }

  private static double logprob(double[] logits, int token) {
    double sum = 0;
    for (double logit : logits) {
      sum += Math.exp(logit);
    }
    return logits[token] - Math.log(sum);
  }

  private static int[] bytes(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int[] tokens = new int[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      tokens[i] = bytes[i] & 0xFF;
    }
    return tokens;
  }
}

package dev.flinfer.engine.choices;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Chooses between labels token by token: at each token the labels with the most likely next token
 * remain. A label that has ended competes with the mean of its tokens' log-probabilities.
 */
final class GreedySelection {
  /** The end of a label; not a token id. */
  private static final int END = -1;

  private final int[][] tokens; // (labels, tokens of the label)
  private final double[][]
      logprobs; // in the shape of tokens; known where labels share the tokens before
  private final double[] probabilities; // (labels)

  GreedySelection(int[][] tokens, double[][] logprobs) {
    this.tokens = tokens;
    this.logprobs = logprobs;
    this.probabilities = new double[tokens.length];
  }

  LabelScores result(List<String> labels) {
    List<Integer> all = IntStream.range(0, tokens.length).boxed().toList();
    return new LabelScores(labels, probabilities, select(all, 0, 1));
  }

  /**
   * Splits a probability among labels that agree up to a position; returns the selected label. Each
   * level of the recursion splits the group, so the number of labels bounds its depth.
   */
  private int select(List<Integer> group, int from, double probability) {
    if (group.size() == 1) {
      probabilities[group.get(0)] = probability;
      return group.get(0);
    }
    int position = from;
    Collection<List<Integer>> parts = byToken(group, position);
    while (parts.size() == 1) { // its share is 1
      parts = byToken(group, ++position);
    }
    int at = position;
    double[] values = parts.stream().mapToDouble(part -> value(part.get(0), at)).toArray();
    double[] shares = LabelScores.softmax(values);
    int best = LabelScores.greatest(values);
    int selected = END;
    int i = 0;
    for (List<Integer> part : parts) {
      int label = select(part, at + 1, probability * shares[i]);
      selected = i == best ? label : selected;
      i++;
    }
    return selected;
  }

  private Collection<List<Integer>> byToken(List<Integer> group, int position) {
    Map<Integer, List<Integer>> parts = new LinkedHashMap<>();
    for (int label : group) {
      int token = position < tokens[label].length ? tokens[label][position] : END;
      parts.computeIfAbsent(token, t -> new ArrayList<>()).add(label);
    }
    return parts.values();
  }

  private double value(int label, int position) {
    return position < tokens[label].length
        ? logprobs[label][position]
        : LabelScores.mean(logprobs[label]);
  }
}

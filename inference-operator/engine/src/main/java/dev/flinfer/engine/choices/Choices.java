package dev.flinfer.engine.choices;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The labels of a request, the tokens to compute to score them, and the scores so far. Pure.
 *
 * <p>The labels' tokens form a trie. The logits at a node score all labels that continue from it,
 * so only nodes that matter to the method are computed, along paths from the root. The root's
 * logits are those after the prompt, and often no others are needed.
 */
public final class Choices {
  /**
   * The first tokens of one or more labels, whose rows are computed.
   *
   * @param tokens (length)
   * @param conditional whether they are computed after the prompt, or without it
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Path(int[] tokens, boolean conditional) {
    public static final Path EMPTY = new Path(new int[0], true);

    public int length() {
      return tokens.length;
    }

    /** The tokens to compute: those of the path, after the prompt if they are conditional on it. */
    public int[] after(int[] prompt) {
      int before = conditional ? prompt.length : 0;
      int[] all = Arrays.copyOf(prompt, before + tokens.length);
      System.arraycopy(tokens, 0, all, before, tokens.length);
      return all;
    }
  }

  private final List<String> labels;
  private final int[][] tokens; // (labels, tokens of the label)
  private final ChoicesMethod method;
  private final List<Path> paths = new ArrayList<>();
  private final double[][]
      conditional; // log-probabilities in the shape of tokens; NaN if not known
  private final double[][] unconditional; // the same without the prompt
  private int pathsTaken;

  /**
   * @param labels at least one
   * @param tokens (labels, tokens of the label); at least one for each label, and no two labels
   *     with the same tokens
   */
  public Choices(List<String> labels, int[][] tokens, ChoicesMethod method) {
    this.labels = labels;
    this.tokens = tokens;
    this.method = method;
    this.conditional = unknown(tokens);
    this.unconditional = unknown(tokens);
    List<int[]> sorted = Arrays.stream(tokens).sorted(Arrays::compare).toList();
    boolean greedy = method == ChoicesMethod.GREEDY_TOKEN_SELECTION;
    List<int[]> longest = longest(greedy ? shared(sorted) : withoutLast(sorted));
    longest.forEach(path -> paths.add(new Path(path, true)));
    if (method == ChoicesMethod.UNCONDITIONAL_LIKELIHOOD_NORMALIZED) {
      longest.forEach(path -> paths.add(new Path(path, false)));
    }
  }

  private static double[][] unknown(int[][] tokens) {
    double[][] scores = new double[tokens.length][];
    for (int i = 0; i < tokens.length; i++) {
      scores[i] = new double[tokens[i].length];
      Arrays.fill(scores[i], Double.NaN);
    }
    return scores;
  }

  /** The nodes whose logits score the tokens of each label: all nodes except the last. */
  private static List<int[]> withoutLast(List<int[]> sorted) {
    return sorted.stream().map(label -> Arrays.copyOf(label, label.length - 1)).toList();
  }

  /** The starts that labels share; after them a label needs no selection. */
  private static List<int[]> shared(List<int[]> sorted) {
    List<int[]> shared = new ArrayList<>();
    for (int i = 0; i + 1 < sorted.size(); i++) {
      int[] label = sorted.get(i);
      shared.add(Arrays.copyOf(label, common(label, sorted.get(i + 1))));
    }
    return shared;
  }

  /** The token sequences that are not the start of another, and not empty. */
  private static List<int[]> longest(List<int[]> all) {
    List<int[]> sorted = all.stream().sorted(Arrays::compare).toList();
    List<int[]> longest = new ArrayList<>();
    for (int i = 0; i < sorted.size(); i++) {
      int[] path = sorted.get(i);
      // In this order a sequence is followed by those that start with it.
      boolean starts = i + 1 < sorted.size() && common(path, sorted.get(i + 1)) == path.length;
      if (path.length > 0 && !starts) {
        longest.add(path);
      }
    }
    return longest;
  }

  private static int common(int[] a, int[] b) {
    int differs = Arrays.mismatch(a, b);
    return differs < 0 ? a.length : differs;
  }

  /** All paths, those after the prompt first. */
  public List<Path> paths() {
    return paths;
  }

  /** The number of tokens of the longest path; 0 if only the root's logits are needed. */
  public int longestPath() {
    return paths.stream().mapToInt(Path::length).max().orElse(0);
  }

  public boolean hasMorePaths() {
    return pathsTaken < paths.size();
  }

  public Path nextPath() {
    return paths.get(pathsTaken++);
  }

  /** Makes {@link #nextPath} return all paths again; scores that are known already are kept. */
  public void scoreAgain() {
    pathsTaken = 0;
  }

  /**
   * Scores labels with the logits after the first tokens of a path.
   *
   * @param depth the number of these tokens
   * @param logits the row, (vocab_size) from {@code at} on
   * @return false if the logits are not finite
   */
  public boolean score(Path path, int depth, float[] logits, int at, int vocab) {
    double[][] scores = path.conditional() ? conditional : unconditional;
    double normalizer = Double.NaN;
    for (int i = 0; i < tokens.length; i++) {
      int[] label = tokens[i];
      if (label.length > depth
          && Arrays.equals(label, 0, depth, path.tokens(), 0, depth)
          && Double.isNaN(scores[i][depth])) {
        if (Double.isNaN(normalizer)) {
          normalizer = logSumExp(logits, at, vocab);
        }
        double score = logits[at + label[depth]] - normalizer;
        if (!Double.isFinite(score)) {
          return false;
        }
        scores[i][depth] = score;
      }
    }
    return true;
  }

  /** The outcome, once all paths are scored. */
  public LabelScores result() {
    int count = labels.size();
    if (method == ChoicesMethod.GREEDY_TOKEN_SELECTION) {
      return new GreedySelection(tokens, conditional).result(labels);
    }
    double[] scores = new double[count];
    for (int i = 0; i < count; i++) {
      scores[i] = LabelScores.mean(conditional[i]);
      if (method == ChoicesMethod.UNCONDITIONAL_LIKELIHOOD_NORMALIZED) {
        unconditional[i][0] = 0; // nothing predicts the first token of a text
        scores[i] -= LabelScores.mean(unconditional[i]);
      }
    }
    return new LabelScores(labels, LabelScores.softmax(scores), LabelScores.greatest(scores));
  }

  private static double logSumExp(float[] logits, int at, int vocab) {
    double max = logits[at];
    for (int i = 1; i < vocab; i++) {
      max = Math.max(max, logits[at + i]);
    }
    double sum = 0;
    for (int i = 0; i < vocab; i++) {
      sum += StrictMath.exp(logits[at + i] - max);
    }
    return max + StrictMath.log(sum);
  }
}

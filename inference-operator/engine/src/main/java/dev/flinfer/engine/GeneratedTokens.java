package dev.flinfer.engine;

import dev.flinfer.schema.Completion;
import dev.flinfer.schema.GeneratedOutput;
import dev.flinfer.schema.InFlightRequest;
import dev.flinfer.schema.TokenLogprob;
import java.util.ArrayList;
import java.util.List;

/**
 * Tokens generated for a request.
 *
 * @param tokens ids, shape (n)
 * @param logprobs natural log-probability of each token, shape (n); empty if the request asked for
 *     none
 * @param topTokens the most likely tokens at the position of each token, shape (n, k), row-major;
 *     empty if the request asked for none
 * @param topLogprobs natural log-probability of each of {@code topTokens}, shape (n, k)
 * @param attempts failed forward passes over only this request since its last token
 * @param others tokens of the second and further outputs of a request that asked for several
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record GeneratedTokens(
    int[] tokens,
    float[] logprobs,
    int[] topTokens,
    float[] topLogprobs,
    int attempts,
    List<GeneratedTokens> others) {

  public static final GeneratedTokens NONE = new GeneratedTokens(new int[0], new float[0]);

  public GeneratedTokens {
    if (logprobs.length != 0 && logprobs.length != tokens.length) {
      throw new IllegalArgumentException(
          "%d log-probabilities for %d tokens".formatted(logprobs.length, tokens.length));
    }
    if (topTokens.length != topLogprobs.length
        || (topTokens.length > 0 && (tokens.length == 0 || topTokens.length % tokens.length > 0))) {
      throw new IllegalArgumentException(
          ("%d alternatives with %d log-probabilities for %d tokens; each token must have the same"
                  + " number of both")
              .formatted(topTokens.length, topLogprobs.length, tokens.length));
    }
  }

  /** Tokens without alternatives. */
  public GeneratedTokens(int[] tokens, float[] logprobs) {
    this(tokens, logprobs, new int[0], new float[0]);
  }

  /** Tokens of a request that asked for one output. */
  public GeneratedTokens(int[] tokens, float[] logprobs, int[] topTokens, float[] topLogprobs) {
    this(tokens, logprobs, topTokens, topLogprobs, 0, List.of());
  }

  /** The tokens of a completion. */
  public static GeneratedTokens of(Completion completion) {
    return of(completion.getTokenIds(), completion.getLogprobs(), completion.getTopLogprobs())
        .withOthers(
            completion.getOutputs().stream()
                .skip(1)
                .map(o -> of(o.getTokenIds(), o.getLogprobs(), o.getTopLogprobs()))
                .toList());
  }

  private static GeneratedTokens of(
      List<Integer> tokens, List<Float> logprobs, List<List<TokenLogprob>> alternatives) {
    List<TokenLogprob> flat = new ArrayList<>();
    if (alternatives != null) {
      alternatives.forEach(flat::addAll);
    }
    return new GeneratedTokens(
        Numbers.ints(tokens),
        logprobs == null ? new float[0] : Numbers.floats(logprobs),
        flat.stream().mapToInt(TokenLogprob::getTokenId).toArray(),
        Numbers.floats(flat.stream().map(TokenLogprob::getLogprob).toList()));
  }

  /** The tokens that a checkpoint kept. */
  public static GeneratedTokens of(InFlightRequest state) {
    return new GeneratedTokens(
        Numbers.ints(state.getTokenIds()),
        Numbers.floats(state.getLogprobs()),
        Numbers.ints(state.getTopTokenIds()),
        Numbers.floats(state.getTopLogprobs()),
        state.getAttempts(),
        state.getOtherOutputs().stream().map(GeneratedTokens::of).toList());
  }

  private static GeneratedTokens of(GeneratedOutput output) {
    return new GeneratedTokens(
        Numbers.ints(output.getTokenIds()),
        Numbers.floats(output.getLogprobs()),
        Numbers.ints(output.getTopTokenIds()),
        Numbers.floats(output.getTopLogprobs()));
  }

  /** Writes them into the state of a checkpoint. */
  public void writeTo(InFlightRequest state) {
    state.setTokenIds(Numbers.list(tokens));
    state.setLogprobs(Numbers.list(logprobs));
    state.setTopTokenIds(Numbers.list(topTokens));
    state.setTopLogprobs(Numbers.list(topLogprobs));
    state.setAttempts(attempts);
    state.setOtherOutputs(others.stream().map(GeneratedTokens::output).toList());
  }

  private GeneratedOutput output() {
    return new GeneratedOutput(
        Numbers.list(tokens),
        Numbers.list(logprobs),
        Numbers.list(topTokens),
        Numbers.list(topLogprobs));
  }

  /** The number of tokens of all outputs. */
  public int count() {
    return tokens.length + others.stream().mapToInt(GeneratedTokens::count).sum();
  }

  /**
   * Writes them into a completion.
   *
   * @param alternatives the request's {@code logprobs}: null for none, 0 for only those of the
   *     generated tokens
   */
  public void writeTo(Completion completion, Integer alternatives) {
    completion.setCompletionTokens(tokens.length);
    completion.setTokenIds(Numbers.list(tokens));
    completion.setLogprobs(alternatives == null ? null : Numbers.list(logprobs));
    completion.setTopLogprobs(alternatives == null || alternatives == 0 ? null : alternatives());
  }

  private List<List<TokenLogprob>> alternatives() {
    List<List<TokenLogprob>> all = new ArrayList<>(tokens.length);
    for (int i = 0; i < tokens.length; i++) {
      List<TokenLogprob> top = new ArrayList<>(alternativesOfToken());
      for (int k = 0; k < alternativesOfToken(); k++) {
        int at = i * alternativesOfToken() + k;
        top.add(new TokenLogprob(topTokens[at], topLogprobs[at]));
      }
      all.add(top);
    }
    return all;
  }

  /** The number of alternatives kept for each token; 0 without tokens. */
  public int alternativesOfToken() {
    return tokens.length == 0 ? 0 : topTokens.length / tokens.length;
  }

  /** The same tokens, with those of the request's further outputs. */
  public GeneratedTokens withOthers(List<GeneratedTokens> outputs) {
    return new GeneratedTokens(tokens, logprobs, topTokens, topLogprobs, attempts, outputs);
  }

  /** The same tokens, with the given number of failed forward passes. */
  public GeneratedTokens withAttempts(int failed) {
    return new GeneratedTokens(tokens, logprobs, topTokens, topLogprobs, failed, others);
  }
}

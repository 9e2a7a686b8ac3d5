package dev.flinfer.engine;

/**
 * Tokens generated for a request.
 *
 * @param tokens ids, shape (n)
 * @param logprobs natural log-probability of each, shape (n), or empty where the request asked for
 *     none
 */
public record GeneratedTokens(int[] tokens, float[] logprobs) {

  public static final GeneratedTokens NONE = new GeneratedTokens(new int[0], new float[0]);

  public GeneratedTokens {
    if (logprobs.length != 0 && logprobs.length != tokens.length) {
      throw new IllegalArgumentException(
          "%d log-probabilities for %d tokens".formatted(logprobs.length, tokens.length));
    }
  }
}

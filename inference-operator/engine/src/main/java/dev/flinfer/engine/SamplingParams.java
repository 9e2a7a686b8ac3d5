package dev.flinfer.engine;

import dev.flinfer.schema.CompletionRequest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.List;

/**
 * How to sample one request, checked. Meanings and defaults are vLLM's.
 *
 * @param maxTokens most tokens to generate
 * @param temperature divides the logits; 0 is greedy
 * @param topP samples from the smallest set whose probabilities add up to this
 * @param topK samples from that many most likely tokens; 0 takes all
 * @param stop strings that end the text
 * @param seed of the sampler
 * @param logprobs whether to return log-probabilities
 */
public record SamplingParams(
    int maxTokens,
    double temperature,
    double topP,
    int topK,
    List<String> stop,
    long seed,
    boolean logprobs) {

  /** Below it vLLM takes the most likely token, because dividing by it overflows. */
  private static final double GREEDY_BELOW = 1e-5;

  /**
   * The parameters of a request.
   *
   * @throws InvalidRequestException naming the field, its value and the range
   */
  public static SamplingParams of(CompletionRequest request) {
    double temperature = request.getTemperature();
    double topP = request.getTopP();
    int topK = request.getTopK();
    Integer logprobs = request.getLogprobs();
    require(request.getMaxTokens() >= 1, "max_tokens", request.getMaxTokens(), "at least 1");
    require(
        temperature >= 0 && Double.isFinite(temperature),
        "temperature",
        temperature,
        "a finite number, at least 0");
    require(topP > 0 && topP <= 1, "top_p", topP, "above 0 and at most 1");
    require(topK >= -1, "top_k", topK, "at least 1, or 0 or -1 for all tokens");
    require(
        logprobs == null || logprobs == 0 || logprobs == 1,
        "logprobs",
        logprobs,
        "0 or 1; alternatives to the chosen token are not returned");
    for (String stop : request.getStop()) {
      require(!stop.isEmpty(), "stop", "an empty string", "a list of non-empty strings");
    }
    return new SamplingParams(
        request.getMaxTokens(),
        temperature < GREEDY_BELOW ? 0 : temperature,
        topP,
        Math.max(topK, 0),
        List.copyOf(request.getStop()),
        request.getSeed() != null ? request.getSeed() : seedOf(request.getId()),
        logprobs != null && logprobs == 1);
  }

  boolean greedy() {
    return temperature == 0;
  }

  private static long seedOf(String id) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(id.getBytes(StandardCharsets.UTF_8));
      return ByteBuffer.wrap(hash).getLong();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }

  private static void require(boolean holds, String field, Object value, String range) {
    if (!holds) {
      throw new InvalidRequestException("%s is %s; it must be %s".formatted(field, value, range));
    }
  }
}

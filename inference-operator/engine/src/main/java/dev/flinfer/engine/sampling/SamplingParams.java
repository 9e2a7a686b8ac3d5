package dev.flinfer.engine.sampling;

import static dev.flinfer.engine.sampling.Limits.require;
import static dev.flinfer.engine.sampling.Limits.requireSize;

import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.ModelInfo;
import dev.flinfer.engine.device.TopLogits;
import dev.flinfer.schema.CompletionRequest;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * The checked sampling parameters of one request. Meanings, defaults and ranges are vLLM's; {@code
 * docs/sampling.md} gives the order in which they are applied.
 *
 * @param maxTokens maximum number of tokens to generate
 * @param temperature divides the logits; 0 is greedy
 * @param topP samples from the smallest set whose probabilities add up to at least this
 * @param topK samples from this many most likely tokens; 0 for all
 * @param minP samples from tokens at least this times as likely as the most likely
 * @param penalties penalties for tokens that occurred before
 * @param logitBias added to logits, by token
 * @param stops the conditions that end the text
 * @param seed the seed of the sampler
 * @param logprobs number of most likely tokens to return with their log-probabilities at each
 *     position, in addition to the chosen token; {@link #NO_LOGPROBS} for no log-probabilities at
 *     all
 * @param n number of outputs to generate
 * @param pattern the pattern that the text must match; null for none
 */
public record SamplingParams(
    int maxTokens,
    double temperature,
    double topP,
    int topK,
    double minP,
    Penalties penalties,
    Map<Integer, Float> logitBias,
    StopConditions stops,
    long seed,
    int logprobs,
    int n,
    TextPattern pattern) {

  /** The value of {@code logprobs} without log-probabilities. */
  static final int NO_LOGPROBS = -1;

  /** Maximum number of alternatives to a chosen token, vLLM's default for max_logprobs. */
  static final int MAX_LOGPROBS = TopLogits.MOST;

  /** Maximum number of outputs; all of them wait in the engine at once, whatever its size. */
  static final int MAX_N = 128;

  /** Below it vLLM is greedy, because dividing by it overflows. */
  private static final double GREEDY_BELOW = 1e-5;

  private static final double MAX_PENALTY = 2;
  private static final double MAX_BIAS = 100;

  /** Bounds the work for each token, and the memory of a request. */
  static final int MAX_BIASES = 1024;

  /**
   * The parameters of a request.
   *
   * @throws InvalidRequestException naming the field, its value and the range
   */
  public static SamplingParams of(CompletionRequest request) {
    double temperature = request.getTemperature();
    double topP = request.getTopP();
    int topK = request.getTopK();
    double minP = request.getMinP();
    Integer logprobs = request.getLogprobs();
    require(request.getMaxTokens() >= 1, "max_tokens", request.getMaxTokens(), "at least 1");
    require(
        temperature >= 0 && Double.isFinite(temperature),
        "temperature",
        temperature,
        "a finite number, at least 0");
    require(topP > 0 && topP <= 1, "top_p", topP, "above 0 and at most 1");
    require(topK >= -1, "top_k", topK, "at least 1, or 0 or -1 for all tokens");
    require(minP >= 0 && minP <= 1, "min_p", minP, "from 0 to 1");
    require(
        logprobs == null || (logprobs >= 0 && logprobs <= MAX_LOGPROBS),
        "logprobs",
        logprobs,
        "from 0 to 20, the alternatives to each chosen token");
    return new SamplingParams(
        request.getMaxTokens(),
        temperature < GREEDY_BELOW ? 0 : temperature,
        topP,
        Math.max(topK, 0),
        minP,
        penaltiesOf(request),
        logitBiasOf(request),
        StopConditions.of(request),
        request.getSeed() != null ? request.getSeed() : seedOf(request.getId()),
        logprobs == null ? NO_LOGPROBS : logprobs,
        outputsOf(request),
        patternOf(request));
  }

  private static TextPattern patternOf(CompletionRequest request) {
    if (request.getStructuredOutputs() == null) {
      return null;
    }
    // Only the pattern decides when the text may end and when it must.
    String because = " with structured_outputs, which decides when the text may end";
    require(
        request.getChoices().isEmpty(),
        "choices",
        request.getChoices(),
        "absent with structured_outputs");
    require(!request.getIgnoreEos(), "ignore_eos", true, "false" + because);
    require(request.getMinTokens() == 0, "min_tokens", request.getMinTokens(), "0" + because);
    return TextPattern.of(request.getStructuredOutputs());
  }

  private static int outputsOf(CompletionRequest request) {
    int n = request.getN();
    require(n >= 1 && n <= MAX_N, "n", n, "from 1 to " + MAX_N);
    require(n == 1 || request.getChoices().isEmpty(), "n", n, "1 with choices");
    require(
        n == 1 || request.getTemperature() >= GREEDY_BELOW,
        "n",
        n,
        "1 with temperature 0, where all outputs would be the same");
    return n;
  }

  private static Penalties penaltiesOf(CompletionRequest request) {
    double presence = request.getPresencePenalty();
    double frequency = request.getFrequencyPenalty();
    double repetition = request.getRepetitionPenalty();
    require(Math.abs(presence) <= MAX_PENALTY, "presence_penalty", presence, "from -2 to 2");
    require(Math.abs(frequency) <= MAX_PENALTY, "frequency_penalty", frequency, "from -2 to 2");
    require(
        repetition > 0 && Double.isFinite(repetition),
        "repetition_penalty",
        repetition,
        "a finite number above 0; 1 is no penalty");
    return new Penalties(presence, frequency, repetition);
  }

  private static Map<Integer, Float> logitBiasOf(CompletionRequest request) {
    requireSize(
        "logit_bias",
        request.getLogitBias().size(),
        "tokens",
        MAX_BIASES,
        "Rule out more tokens by a regex in structured_outputs");
    Map<Integer, Float> biases = new TreeMap<>();
    request
        .getLogitBias()
        .forEach(
            (token, bias) -> {
              String field = "logit_bias of " + token;
              require(Math.abs(bias) <= MAX_BIAS, field, bias, "from -100 to 100");
              Float before = biases.put(tokenId(token), bias.floatValue());
              require(before == null, field, "given twice", "given once");
            });
    return Map.copyOf(biases);
  }

  private static int tokenId(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new InvalidRequestException(
          "logit_bias has the key \"%s\"; its keys must be token ids, whole numbers"
              .formatted(text));
    }
  }

  /**
   * Refuses token ids that a model does not have.
   *
   * @throws InvalidRequestException naming the field, the id and the range
   */
  public void requireTokensOf(ModelInfo model) {
    stops.tokenIds().forEach(token -> model.requireToken("stop_token_ids", token));
    logitBias.keySet().forEach(token -> model.requireToken("logit_bias", token));
  }

  /**
   * Whether generation can continue after tokens that an earlier engine generated: the model has
   * all of them, and they have the log-probabilities that the request asks for.
   */
  public boolean canResume(GeneratedTokens from, int vocabSize) {
    int count = from.tokens().length;
    int alternatives = Math.max(0, Math.min(logprobs, vocabSize));
    return Arrays.stream(from.tokens()).allMatch(token -> token >= 0 && token < vocabSize)
        && (!returnsLogprobs() || from.logprobs().length == count)
        && (long) count * alternatives == from.topTokens().length;
  }

  /** The parameters of one of n outputs. The first is the same as with n = 1. */
  public SamplingParams forOutput(int index) {
    return new SamplingParams(
        maxTokens,
        temperature,
        topP,
        topK,
        minP,
        penalties,
        logitBias,
        stops,
        Sampler.seedOfOutput(seed, index),
        logprobs,
        1,
        pattern);
  }

  /** Whether the most likely token is always chosen. */
  public boolean greedy() {
    return temperature == 0;
  }

  /** Whether the request asks for the log-probabilities of generated tokens. */
  public boolean returnsLogprobs() {
    return logprobs != NO_LOGPROBS;
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
}

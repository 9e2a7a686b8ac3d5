package dev.flinfer.engine.sampling;

import dev.flinfer.engine.GeneratedTokens;
import java.util.Arrays;

/**
 * The tokens of a sequence: its prompt and the generated tokens, with log-probabilities if the
 * request asks for them.
 *
 * <p>The engine's thread appends and reads. {@link #generated()} may be called from any thread: the
 * length is written after the arrays, so the tokens that it counts are in them.
 */
public final class TokenBuffer {
  /** In tokens; 1 KB, so that most completions need no second array. */
  private static final int MIN_GROWTH = 256;

  private final int promptLength;
  private final int maxTokens;
  private final boolean keepsLogprobs;
  private int[] tokens; // prompt, then generated
  private float[] logprobs = new float[0]; // of the generated tokens, if requested
  private int[] topTokens = new int[0]; // (generated tokens, alternatives), if requested
  private float[] topLogprobs = new float[0]; // (generated tokens, alternatives)
  private int alternatives; // the same at every token
  private volatile int length; // written last: publishes the arrays

  /**
   * @param prompt (prompt tokens); not copied until a token is appended
   * @param params give the maximum number of generated tokens and whether log-probabilities are
   *     kept
   */
  public TokenBuffer(int[] prompt, SamplingParams params) {
    this.promptLength = prompt.length;
    this.maxTokens = params.maxTokens();
    this.keepsLogprobs = params.returnsLogprobs();
    this.tokens = prompt;
    this.length = prompt.length;
  }

  /** The number of tokens of the prompt. */
  public int promptLength() {
    return promptLength;
  }

  /** The number of tokens of prompt and completion together. */
  public int length() {
    return length;
  }

  /** The number of generated tokens. */
  public int generatedLength() {
    return length - promptLength;
  }

  /** The token at a position. */
  public int get(int position) {
    return tokens[position];
  }

  /** Fills the target with tokens from a position on. */
  public void copy(int position, int[] to) {
    System.arraycopy(tokens, position, to, 0, to.length);
  }

  /** Appends a generated token. */
  public void append(int token, TokenLogprobs logs) {
    int at = length;
    if (at == tokens.length) {
      int toCome = Math.max(1, maxTokens - generatedLength());
      tokens = Arrays.copyOf(tokens, at + Math.min(toCome, Math.max(MIN_GROWTH, at)));
    }
    tokens[at] = token;
    if (keepsLogprobs) {
      keep(logs, at - promptLength);
    }
    length = at + 1;
  }

  private void keep(TokenLogprobs logs, int index) {
    alternatives = logs.top().length;
    if (index >= logprobs.length) {
      int capacity = Math.max(16, 2 * index);
      logprobs = Arrays.copyOf(logprobs, capacity);
      topTokens = Arrays.copyOf(topTokens, capacity * alternatives);
      topLogprobs = Arrays.copyOf(topLogprobs, capacity * alternatives);
    }
    logprobs[index] = logs.chosen();
    System.arraycopy(logs.topTokens(), 0, topTokens, index * alternatives, alternatives);
    System.arraycopy(logs.top(), 0, topLogprobs, index * alternatives, alternatives);
  }

  /** Returns a consistent copy of the tokens generated so far. */
  public GeneratedTokens generated() {
    int count = length - promptLength; // read first: the tokens that it counts are in the arrays
    int[] generated = Arrays.copyOfRange(tokens, promptLength, promptLength + count);
    if (!keepsLogprobs) {
      return new GeneratedTokens(generated, new float[0]);
    }
    return new GeneratedTokens(
        generated,
        Arrays.copyOf(logprobs, count),
        Arrays.copyOf(topTokens, count * alternatives),
        Arrays.copyOf(topLogprobs, count * alternatives));
  }
}

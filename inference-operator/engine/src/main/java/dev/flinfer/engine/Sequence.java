package dev.flinfer.engine;

import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.FinishReason;
import java.util.Arrays;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A request on its way: its tokens, how many of them are computed, and its KV blocks. Belongs to
 * the engine's thread; only {@link #progress} may be called from others.
 */
final class Sequence implements Generation {
  final CompletionRequest request;
  final SamplingParams params;
  final GenerationListener listener;
  final CompletionText text;
  final int promptLength;
  final long submittedNanos;

  /** Prompt tokens whose keys and values were found in the prefix cache at the first admission. */
  int cachedTokens = -1;

  long firstScheduledNanos;
  long firstTokenNanos;
  FinishReason finishReason;

  /** What the text must be, null where it is free. */
  Constraint constraint;

  /** Tokens whose keys and values are in the KV blocks. */
  int computed;

  int[] blocks = new int[8]; // the first blockCount count
  int blockCount;

  /** Blocks whose content is known to the pool, and the number of the content at their end. */
  int sealedBlocks;

  long sealedContent = BlockPool.EMPTY;

  private int[] tokens; // prompt, then generated
  private float[] logprobs = new float[0]; // of the generated tokens, where asked for
  private int[] topTokens = new int[0]; // (generated tokens, alternatives), where asked for
  private float[] topLogprobs = new float[0]; // (generated tokens, alternatives)
  private int alternatives; // the same at every token
  private volatile int length; // written last: publishes the arrays
  private volatile boolean cancelled;
  private final Consumer<Sequence> onCancel;

  Sequence(
      CompletionRequest request,
      SamplingParams params,
      int[] prompt,
      CompletionText text,
      GenerationListener listener,
      long nowNanos,
      Consumer<Sequence> onCancel) {
    this.request = request;
    this.params = params;
    this.listener = listener;
    this.text = text;
    this.promptLength = prompt.length;
    this.submittedNanos = nowNanos;
    this.onCancel = onCancel;
    this.tokens = prompt.clone();
    this.length = prompt.length;
  }

  int length() {
    return length;
  }

  int generated() {
    return length - promptLength;
  }

  int token(int position) {
    return tokens[position];
  }

  /** Tokens that a forward pass must still compute; at least 1. */
  int uncomputed() {
    return length - computed;
  }

  /** The tokens of a block, (16). */
  int[] blockTokens(int index) {
    int from = index * ForwardPass.BLOCK_SIZE;
    return Arrays.copyOfRange(tokens, from, from + ForwardPass.BLOCK_SIZE);
  }

  /** Appends a generated token, with log-probabilities where they are asked for. */
  void append(int token, TokenLogprobs logs) {
    int at = length;
    if (at == tokens.length) {
      tokens = Arrays.copyOf(tokens, at + Math.max(16, at / 2));
    }
    tokens[at] = token;
    if (params.returnsLogprobs()) {
      keep(logs, at - promptLength);
    }
    if (constraint != null) {
      constraint.add(token);
    }
    length = at + 1;
    text.add(token);
  }

  /** Whether the last token, or the text with it, ends the text. */
  boolean stopped(Set<Integer> eosTokenIds) {
    return params.stops().endsWith(tokens[length - 1], eosTokenIds)
        || text.stopped()
        || (constraint != null && constraint.complete());
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

  void addBlock(int block) {
    if (blockCount == blocks.length) {
      blocks = Arrays.copyOf(blocks, 2 * blockCount);
    }
    blocks[blockCount++] = block;
  }

  @Override
  public GeneratedTokens progress() {
    int count = length - promptLength; // read first: what it counts is in the arrays
    int[] generated = Arrays.copyOfRange(tokens, promptLength, promptLength + count);
    if (!params.returnsLogprobs()) {
      return new GeneratedTokens(generated, new float[0]);
    }
    return new GeneratedTokens(
        generated,
        Arrays.copyOf(logprobs, count),
        Arrays.copyOf(topTokens, count * alternatives),
        Arrays.copyOf(topLogprobs, count * alternatives));
  }

  @Override
  public void cancel() {
    cancelled = true;
    onCancel.accept(this);
  }

  boolean cancelled() {
    return cancelled;
  }
}

package dev.flinfer.engine;

import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.FinishReason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A request on its way: its tokens, how many of them are computed, and its KV blocks. Belongs to
 * the engine's thread; only {@link #progress} may be called from others.
 */
final class Sequence implements Generation {
  /** Tokens; 1 KB, so that most completions need no second array. */
  private static final int LEAST_GROWTH = 256;

  final CompletionRequest request;
  final SamplingParams params;
  final GenerationListener listener;
  final CompletionText text;
  final int promptLength;
  final long submittedNanos;

  /** Prompt tokens whose keys and values were found in the prefix cache at the first admission. */
  int cachedTokens = -1;

  /** The labels to choose from; null where the request has none. Set before it is scheduled. */
  Choices choices;

  /** Sequences behind this one's prompt that score labels and are not computed yet. */
  final List<Sequence> branches = new ArrayList<>();

  /** Whole blocks of the prompt that a branch shares. */
  int sharedBlocks;

  /** Its part of the step that it was last scheduled in. */
  final Scheduled scheduled = new Scheduled(this);

  /** Place in the order of arrival; {@link Waiting} says what promoted is. */
  long arrival;

  boolean promoted;

  long firstScheduledNanos;
  long firstTokenNanos;
  FinishReason finishReason;

  /** Forward passes over it alone that failed since its last token. */
  volatile int attempts;

  /** What the text must be, null where it is free. */
  Constraint constraint;

  /** Tokens whose keys and values are in the KV blocks. */
  int computed;

  int[] blocks = new int[8]; // the first blockCount count
  int blockCount;

  /** Blocks whose content is known to the pool, and the number of the content at their end. */
  int sealedBlocks;

  long sealedContent = BlockPool.EMPTY;

  /** The path of labels that a branch scores, and whose it is; null in a sequence itself. */
  private Choices.Path path;

  private Sequence root = this;

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

  /** Whether the next token comes from sampling the last one's logits, time and again. */
  boolean decoding() {
    return choices == null && uncomputed() == 1;
  }

  /** The first position whose logits are wanted. */
  int logitsFrom() {
    return path == null ? length - 1 : length - path.length();
  }

  /** Most tokens that one more step puts behind those that are there. */
  int tokensToCome() {
    return choices == null ? 1 : Math.max(1, choices.longestPath());
  }

  int wholePromptBlocks() {
    return promptLength / ForwardPass.BLOCK_SIZE;
  }

  boolean isBranch() {
    return path != null;
  }

  /** The sequence itself, or the one that this is a branch of. */
  Sequence root() {
    return root;
  }

  /** The path that is scored: of a branch its own, else the empty one. */
  Choices.Path path() {
    return path == null ? Choices.Path.EMPTY : path;
  }

  boolean hasMoreBranches() {
    return choices != null && choices.hasMorePaths();
  }

  /** Whether all labels are scored. */
  boolean chosen() {
    return choices != null && uncomputed() == 0 && branches.isEmpty() && !hasMoreBranches();
  }

  /** Has all labels, where there are any, be scored from the start. No branch may hold blocks. */
  void scoreAgain() {
    branches.clear();
    if (choices != null) {
      choices.scoreAgain();
    }
  }

  /** The next branch: the path's tokens, behind the prompt or behind nothing. */
  Sequence nextBranch() {
    Choices.Path next = choices.nextPath();
    int before = next.conditional() ? promptLength : 0;
    int[] all = Arrays.copyOf(tokens, before + next.length());
    System.arraycopy(next.tokens(), 0, all, before, next.length());
    Sequence branch = new Sequence(request, params, all, null, listener, submittedNanos, s -> {});
    branch.path = next;
    branch.root = this;
    branch.sharedBlocks = before / ForwardPass.BLOCK_SIZE;
    branches.add(branch);
    return branch;
  }

  /** Copies the tokens of a block, (16). */
  void copyBlock(int index, int[] to) {
    System.arraycopy(tokens, index * ForwardPass.BLOCK_SIZE, to, 0, ForwardPass.BLOCK_SIZE);
  }

  /** Appends a generated token, with log-probabilities where they are asked for. */
  void append(int token, TokenLogprobs logs) {
    int at = length;
    if (at == tokens.length) {
      int toCome = Math.max(1, params.maxTokens() - generated());
      tokens = Arrays.copyOf(tokens, at + Math.min(toCome, Math.max(LEAST_GROWTH, at)));
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
  private boolean stopped(Set<Integer> eosTokenIds) {
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

  /** Why it ends with its last token, null where it goes on. */
  FinishReason finishReason(Set<Integer> eosTokenIds, int maxModelLen) {
    if (stopped(eosTokenIds)) {
      return FinishReason.STOP;
    }
    boolean full = generated() >= params.maxTokens() || length() >= maxModelLen;
    return full ? FinishReason.LENGTH : null;
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
      return new GeneratedTokens(generated, new float[0]).withAttempts(attempts);
    }
    return new GeneratedTokens(
            generated,
            Arrays.copyOf(logprobs, count),
            Arrays.copyOf(topTokens, count * alternatives),
            Arrays.copyOf(topLogprobs, count * alternatives))
        .withAttempts(attempts);
  }

  @Override
  public int promptTokens() {
    return promptLength;
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

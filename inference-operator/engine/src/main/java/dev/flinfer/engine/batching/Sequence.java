package dev.flinfer.engine.batching;

import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.Generation;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.blocks.BlockTable;
import dev.flinfer.engine.choices.Choices;
import dev.flinfer.engine.sampling.CompletionText;
import dev.flinfer.engine.sampling.Constraint;
import dev.flinfer.engine.sampling.SamplingParams;
import dev.flinfer.engine.sampling.TokenBuffer;
import dev.flinfer.engine.sampling.TokenLogprobs;
import dev.flinfer.engine.sampling.TokenMasks;
import dev.flinfer.schema.CompletionRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * A request in the engine: its tokens, its KV blocks, its timings and its status. A branch is a
 * sequence, too: the tokens of a path of labels after the prompt of its root.
 *
 * <p>Used on the engine's thread. Callers hold it as a {@link Generation}, whose methods may be
 * called from any thread: {@link #progress}, {@link #promptTokens} and {@link #cancel}. The fields
 * that they read are final, volatile or published by {@link TokenBuffer}.
 */
final class Sequence implements Generation {
  private final CheckedRequest checked;
  private final GenerationListener listener;
  private final CompletionText text; // null in a branch
  private final Consumer<Sequence> onCancel;
  private final TokenBuffer tokens;
  private final BlockTable blocks = new BlockTable();
  private final Timings timings;
  private final Scheduled scheduled = new Scheduled(this);
  private final QueuePlace place = new QueuePlace();

  // Of a branch: the path of labels that it scores, and the sequence that it belongs to.
  private final Choices.Path path;
  private final Sequence root;

  /** Branches that score labels and are not computed yet. */
  private final List<Sequence> branches = new ArrayList<>();

  private Constraint constraint; // null without a pattern, and until it is compiled
  private SequenceStatus status = SequenceStatus.WAITING;
  private int cachedTokens = -1;
  private volatile int attempts;
  private volatile boolean cancelled;

  Sequence(
      CheckedRequest checked,
      CompletionText text,
      GenerationListener listener,
      long nowNanos,
      Consumer<Sequence> onCancel) {
    this.checked = checked;
    this.text = text;
    this.listener = listener;
    this.onCancel = onCancel;
    this.tokens = new TokenBuffer(checked.prompt(), checked.params());
    this.timings = new Timings(nowNanos);
    this.path = Choices.Path.EMPTY;
    this.root = this;
  }

  /** A branch: the path's tokens, after the root's prompt or without it. */
  private Sequence(Sequence root, Choices.Path path) {
    this.checked = root.checked;
    this.text = null;
    this.listener = root.listener;
    this.onCancel = root.onCancel;
    this.tokens = new TokenBuffer(path.after(root.checked.prompt()), root.params());
    this.timings = root.timings;
    this.path = path;
    this.root = root;
  }

  CompletionRequest request() {
    return checked.request();
  }

  SamplingParams params() {
    return checked.params();
  }

  GenerationListener listener() {
    return listener;
  }

  TokenBuffer tokens() {
    return tokens;
  }

  CompletionText text() {
    return text;
  }

  /** The token masks of its pattern, once it is compiled; null without a pattern. */
  CompletableFuture<TokenMasks> masks() {
    return checked.masks();
  }

  /** Sets the compiled pattern that the text must match. */
  void constrain(TokenMasks masks) {
    Constraint place = new Constraint(masks);
    for (int i = tokens.promptLength(); i < length(); i++) {
      place.add(tokens.get(i));
    }
    constraint = place;
  }

  /** The place in the pattern that the text must match; null without a pattern. */
  Constraint constraint() {
    return constraint;
  }

  BlockTable blocks() {
    return blocks;
  }

  Timings timings() {
    return timings;
  }

  /** Its part of the step in which it was last scheduled. */
  Scheduled scheduled() {
    return scheduled;
  }

  // Its tokens, and the number of them that are computed.

  int length() {
    return tokens.length();
  }

  int generated() {
    return tokens.generatedLength();
  }

  /** The number of tokens that are not computed yet; at least 1 while it is unfinished. */
  int uncomputed() {
    return length() - blocks.computed();
  }

  /** Whether each step computes one token and samples the next from its logits. */
  boolean decoding() {
    return choices() == null && uncomputed() == 1;
  }

  /** The first position whose logits are needed. */
  int logitsFrom() {
    return isBranch() ? length() - path.length() : length() - 1;
  }

  /** The number of further tokens to reserve room for: one, or those of the longest path. */
  int tokensToCome() {
    return choices() == null ? 1 : Math.max(1, choices().longestPath());
  }

  /** Appends a generated token, with log-probabilities if the request asks for them. */
  void append(int token, TokenLogprobs logs) {
    if (constraint != null) {
      constraint.add(token);
    }
    tokens.append(token, logs);
    text.add(token);
    attempts = 0;
  }

  /** The status after its last token: finished, or unchanged. */
  SequenceStatus statusAfterToken(ServedModel model) {
    boolean stopped =
        params().stops().endsWith(tokens.get(length() - 1), model.eosTokenIds())
            || text.stopped()
            || (constraint != null && constraint.complete());
    if (stopped) {
      return SequenceStatus.FINISHED_STOPPED;
    }
    boolean full = generated() >= params().maxTokens() || length() >= model.info().maxModelLen();
    return full ? SequenceStatus.FINISHED_LENGTH_CAPPED : status;
  }

  // Its labels, if the request has any, and the branches that score them.

  /** The labels to choose from; null if the request has none. */
  Choices choices() {
    return checked.choices();
  }

  boolean isBranch() {
    return root != this;
  }

  /** The sequence itself, or the one that this is a branch of. */
  Sequence root() {
    return root;
  }

  /** The path that is scored: for a branch its own, otherwise the empty path. */
  Choices.Path path() {
    return path;
  }

  /** Branches that are not computed yet. */
  List<Sequence> branches() {
    return branches;
  }

  /** Whether labels remain to be scored after its prompt. */
  boolean hasLabelsLeft() {
    return !branches.isEmpty() || hasMoreBranches();
  }

  boolean hasMoreBranches() {
    return choices() != null && choices().hasMorePaths();
  }

  Sequence nextBranch() {
    Sequence branch = new Sequence(this, choices().nextPath());
    branches.add(branch);
    return branch;
  }

  boolean allLabelsScored() {
    return choices() != null && uncomputed() == 0 && !hasLabelsLeft();
  }

  /** Scores all labels, if there are any, from the start. No branch may hold blocks. */
  void scoreAgain() {
    branches.clear();
    if (choices() != null) {
      choices().scoreAgain();
    }
  }

  // Its status and its place in the queue.

  SequenceStatus status() {
    return status;
  }

  void status(SequenceStatus next) {
    status = next;
  }

  QueuePlace place() {
    return place;
  }

  /** Notes how much of its prompt the prefix cache held; the first admission counts. */
  void admitted() {
    if (cachedTokens < 0) {
      cachedTokens = Math.min(blocks.computed(), tokens.promptLength());
    }
    status = SequenceStatus.RUNNING;
  }

  /** The number of prompt tokens that the first admission found in the prefix cache. */
  int cachedTokens() {
    return Math.max(0, cachedTokens);
  }

  /** The number of failed forward passes over only this sequence since its last token. */
  int attempts() {
    return attempts;
  }

  void attempts(int failed) {
    attempts = failed;
  }

  // Methods that callers may use from any thread.

  @Override
  public GeneratedTokens progress() {
    return tokens.generated().withAttempts(attempts);
  }

  @Override
  public int promptTokens() {
    return tokens.promptLength();
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

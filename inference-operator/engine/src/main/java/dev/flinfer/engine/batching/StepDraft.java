package dev.flinfer.engine.batching;

import java.util.ArrayList;
import java.util.List;

/** A step while it is scheduled: its contents and the remaining budget. Reused by all steps. */
final class StepDraft {
  private final List<Scheduled> scheduled = new ArrayList<>();
  private final int maxTokens;
  private final int maxLogits;
  private long number;
  private int tokensLeft;
  private int logitsLeft;
  private int tokensKept;
  private int logitsKept;

  /**
   * @param tokens maximum number of tokens of a step
   * @param logits maximum number of tokens of a step whose logits are needed
   */
  StepDraft(int tokens, int logits) {
    maxTokens = tokens;
    maxLogits = logits;
  }

  /** Begins the next step. */
  void clear() {
    number++;
    scheduled.clear();
    tokensLeft = maxTokens;
    logitsLeft = maxLogits;
    keep(0, 0);
  }

  List<Scheduled> scheduled() {
    return scheduled;
  }

  int tokensLeft() {
    return tokensLeft;
  }

  int logitsLeft() {
    return logitsLeft;
  }

  /** Keeps a part of the budget for others: until the next call it does not count as left. */
  void keep(int tokens, int logits) {
    tokensKept = tokens;
    logitsKept = logits;
  }

  boolean isFull() {
    return tokensLeft <= tokensKept;
  }

  /** Whether no further token whose logits are needed fits. */
  boolean hasNoLogits() {
    return logitsLeft <= logitsKept;
  }

  /** The position after the tokens of a sequence that are computed or in this step. */
  int end(Sequence sequence) {
    Scheduled own = sequence.scheduled();
    return own.isIn(number) ? own.from() + own.tokens() : sequence.blocks().computed();
  }

  /** How many of a sequence's next tokens fit. */
  int fitting(Sequence sequence) {
    int end = end(sequence);
    int withoutLogits = Math.max(0, sequence.logitsFrom() - end);
    int tokens = Math.max(0, tokensLeft - tokensKept);
    int logits = Math.max(0, logitsLeft - logitsKept);
    return Math.min(Math.min(sequence.length() - end, tokens), withoutLogits + logits);
  }

  /** Adds the next tokens of a sequence; they must fit. */
  void add(Sequence sequence, int tokens) {
    int from = end(sequence);
    int logits = Math.max(0, from + tokens - Math.max(from, sequence.logitsFrom()));
    Scheduled own = sequence.scheduled();
    if (own.isIn(number)) {
      own.extend(tokens, logits);
    } else {
      own.set(number, from, tokens, logits);
      scheduled.add(own);
    }
    tokensLeft -= tokens;
    logitsLeft -= logits;
  }

  /** Removes what was scheduled of a sequence and its branches. */
  void withdraw(Sequence sequence) {
    for (Scheduled one : List.copyOf(scheduled)) {
      if (one.sequence().root() == sequence) {
        scheduled.remove(one);
        one.withdraw();
        tokensLeft += one.tokens();
        logitsLeft += one.logits();
      }
    }
  }
}

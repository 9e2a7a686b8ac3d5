package dev.flinfer.engine.batching;

import java.util.ArrayList;
import java.util.List;

/** A step while it is scheduled: its contents and the remaining budget. Reused by all steps. */
final class StepDraft {
  private final List<Scheduled> scheduled = new ArrayList<>();
  private final int maxTokens;
  private final int maxLogits;
  private int tokensLeft;
  private int logitsLeft;

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
    scheduled.clear();
    tokensLeft = maxTokens;
    logitsLeft = maxLogits;
  }

  List<Scheduled> scheduled() {
    return scheduled;
  }

  boolean isFull() {
    return tokensLeft == 0;
  }

  /** Whether no further token whose logits are needed fits. */
  boolean hasNoLogits() {
    return logitsLeft == 0;
  }

  /** How many of a sequence's next tokens fit. */
  int fitting(Sequence sequence) {
    int withoutLogits = Math.max(0, sequence.logitsFrom() - sequence.blocks().computed());
    return Math.min(Math.min(sequence.uncomputed(), tokensLeft), withoutLogits + logitsLeft);
  }

  /** Adds the next tokens of a sequence; they must fit. */
  void add(Sequence sequence, int tokens) {
    int from = sequence.blocks().computed();
    int logits = Math.max(0, from + tokens - Math.max(from, sequence.logitsFrom()));
    sequence.scheduled().set(from, tokens, logits);
    scheduled.add(sequence.scheduled());
    tokensLeft -= tokens;
    logitsLeft -= logits;
  }

  /** Removes what was scheduled of a sequence and its branches. */
  void withdraw(Sequence sequence) {
    for (Scheduled one : List.copyOf(scheduled)) {
      if (one.sequence().root() == sequence) {
        scheduled.remove(one);
        tokensLeft += one.tokens();
        logitsLeft += one.logits();
      }
    }
  }
}

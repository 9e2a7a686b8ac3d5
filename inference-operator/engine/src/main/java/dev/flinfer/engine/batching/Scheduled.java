package dev.flinfer.engine.batching;

/** The tokens of a sequence in a step. A sequence has one object, which each step overwrites. */
final class Scheduled {
  private final Sequence sequence;
  private long step;
  private int from;
  private int tokens;
  private int logits;

  Scheduled(Sequence sequence) {
    this.sequence = sequence;
  }

  /**
   * @param step the number of the step
   */
  void set(long step, int from, int tokens, int logits) {
    this.step = step;
    this.from = from;
    this.tokens = tokens;
    this.logits = logits;
  }

  /** Adds the next tokens to the same step. */
  void extend(int moreTokens, int moreLogits) {
    tokens += moreTokens;
    logits += moreLogits;
  }

  /** Notes that the sequence is in no step. */
  void withdraw() {
    step = 0;
  }

  boolean isIn(long number) {
    return step == number;
  }

  Sequence sequence() {
    return sequence;
  }

  /** Position of the first token. */
  int from() {
    return from;
  }

  /** Number of tokens. */
  int tokens() {
    return tokens;
  }

  /** How many of them, counted from the last, need logits. */
  int logits() {
    return logits;
  }
}

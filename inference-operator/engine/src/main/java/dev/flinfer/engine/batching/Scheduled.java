package dev.flinfer.engine.batching;

/** Tokens of a sequence in a step. It has one of these, which its next step overwrites. */
final class Scheduled {
  private final Sequence sequence;
  private int from;
  private int tokens;
  private int logits;

  Scheduled(Sequence sequence) {
    this.sequence = sequence;
  }

  void set(int from, int tokens, int logits) {
    this.from = from;
    this.tokens = tokens;
    this.logits = logits;
  }

  Sequence sequence() {
    return sequence;
  }

  /** Position of the first. */
  int from() {
    return from;
  }

  /** How many. */
  int tokens() {
    return tokens;
  }

  /** Of how many of them, the last ones, the logits are wanted. */
  int logits() {
    return logits;
  }
}

package dev.flinfer.engine.batching;

/** The tokens of a sequence in a step. A sequence has one object, which each step overwrites. */
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

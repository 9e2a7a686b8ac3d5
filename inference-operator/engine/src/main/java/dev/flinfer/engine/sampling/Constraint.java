package dev.flinfer.engine.sampling;

import dev.flinfer.engine.structured.ByteAutomaton;
import java.util.BitSet;
import java.util.Set;

/** The place of a text in the pattern that it must match, and the tokens that may follow. */
public final class Constraint {
  private final TokenMasks masks;
  private int state = ByteAutomaton.START;

  public Constraint(TokenMasks masks) {
    this.masks = masks;
  }

  /** Adds a token of the text; a token that ends the text leaves the state unchanged. */
  public void add(int token) {
    int next = masks.step(state, token);
    if (next != ByteAutomaton.NONE) {
      state = next;
    }
  }

  /** Whether the text matches and no longer text can match. */
  public boolean complete() {
    return !masks.automaton.goesOn(state);
  }

  /** Makes the tokens that must not come next impossible in a row of logits. */
  void forbid(float[] row, Set<Integer> eosTokenIds) {
    boolean mayEnd = masks.automaton.accepts(state);
    BitSet allowed = (BitSet) masks.allowed(state).clone();
    eosTokenIds.forEach(token -> allowed.set(token, mayEnd));
    for (int token = allowed.nextClearBit(0);
        token < row.length;
        token = allowed.nextClearBit(token + 1)) {
      row[token] = Float.NEGATIVE_INFINITY;
    }
  }
}

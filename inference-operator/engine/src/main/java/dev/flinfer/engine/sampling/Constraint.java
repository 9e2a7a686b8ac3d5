package dev.flinfer.engine.sampling;

import dev.flinfer.engine.structured.ByteAutomaton;
import java.util.BitSet;
import java.util.Set;

/** Where one text is in the pattern that it must match, and what may come next. */
public final class Constraint {
  private final TokenMasks masks;
  private int state = ByteAutomaton.START;

  public Constraint(TokenMasks masks) {
    this.masks = masks;
  }

  /** Takes a token of the text; what ends the text leaves the state as it is. */
  public void add(int token) {
    int next = masks.step(state, token);
    if (next != ByteAutomaton.NONE) {
      state = next;
    }
  }

  /** Whether the text is matched and no longer one can be. */
  public boolean complete() {
    return !masks.automaton.goesOn(state);
  }

  /** Makes the tokens impossible that must not come next, in a row of logits. */
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

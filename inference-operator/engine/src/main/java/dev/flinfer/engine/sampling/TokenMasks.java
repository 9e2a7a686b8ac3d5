package dev.flinfer.engine.sampling;

import dev.flinfer.engine.structured.ByteAutomaton;
import dev.flinfer.engine.tokenizer.Tokenizer;
import java.util.BitSet;
import java.util.Map;

/**
 * The token masks of a pattern: in each state of its automaton the tokens whose bytes it accepts.
 * Checking all tokens takes about as long as sampling one, so the masks of the most recently used
 * states are kept. Shared by the sequences of one pattern and used on the engine's thread only.
 */
public final class TokenMasks {
  /** At most about 1.6 MB per pattern with Phi-2's vocabulary. */
  private static final int MAX_KEPT = 256;

  final ByteAutomaton automaton;
  private final Tokenizer tokenizer;
  private final int vocab;
  private final Map<Integer, BitSet> kept = new Latest<>(MAX_KEPT);

  TokenMasks(ByteAutomaton automaton, Tokenizer tokenizer, int vocab) {
    this.automaton = automaton;
    this.tokenizer = tokenizer;
    this.vocab = vocab;
  }

  /** The state after a token, {@link ByteAutomaton#NONE} if it may not come. */
  int step(int state, int token) {
    byte[] bytes = tokenizer.bytesOf(token);
    // Special tokens add nothing to the text, so they could repeat forever without progress.
    return bytes.length == 0 ? ByteAutomaton.NONE : automaton.step(state, bytes);
  }

  /** The tokens that may come in a state; must not be modified. */
  BitSet allowed(int state) {
    return kept.computeIfAbsent(state, this::compute);
  }

  private BitSet compute(int state) {
    BitSet allowed = new BitSet(vocab);
    for (int token = 0; token < vocab; token++) {
      if (step(state, token) != ByteAutomaton.NONE) {
        allowed.set(token);
      }
    }
    return allowed;
  }
}

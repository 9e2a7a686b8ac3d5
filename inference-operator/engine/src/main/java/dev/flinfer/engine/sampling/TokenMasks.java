package dev.flinfer.engine.sampling;

import dev.flinfer.engine.structured.ByteAutomaton;
import dev.flinfer.engine.tokenizer.Tokenizer;
import java.util.BitSet;
import java.util.Map;

/**
 * Which tokens may come next in each state of an automaton: those whose bytes it takes. Looking at
 * all tokens takes about as long as sampling one, so the states last asked for are kept. Shared by
 * the sequences with one pattern, on the engine's thread.
 */
public final class TokenMasks {
  /** At most about 1.6 MB a pattern with Phi-2's vocabulary. */
  private static final int MOST_KEPT = 256;

  final ByteAutomaton automaton;
  private final Tokenizer tokenizer;
  private final int vocab;
  private final Map<Integer, BitSet> kept = new Latest<>(MOST_KEPT);

  TokenMasks(ByteAutomaton automaton, Tokenizer tokenizer, int vocab) {
    this.automaton = automaton;
    this.tokenizer = tokenizer;
    this.vocab = vocab;
  }

  /** The state behind a token, {@link ByteAutomaton#NONE} where it may not come. */
  int step(int state, int token) {
    byte[] bytes = tokenizer.bytesOf(token);
    // Special tokens add nothing to the text; without end they would be no progress.
    return bytes.length == 0 ? ByteAutomaton.NONE : automaton.step(state, bytes);
  }

  /** The tokens that may come in a state; not to be changed. */
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

package dev.flinfer.engine.sampling;

import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.structured.ByteAutomaton;
import dev.flinfer.engine.structured.PatternException;
import dev.flinfer.engine.tokenizer.Tokenizer;
import java.util.Map;

/** The patterns last asked for, prepared: requests mostly share a few. Thread-safe. */
public final class Constraints {
  private static final int MOST_KEPT = 64;

  private final Tokenizer tokenizer;
  private final int vocab;
  private final Map<String, TokenMasks> kept = new Latest<>(MOST_KEPT);

  public Constraints(Tokenizer tokenizer, int vocab) {
    this.tokenizer = tokenizer;
    this.vocab = vocab;
  }

  /**
   * @param pattern of the whole text; null for none
   * @return null for none
   * @throws InvalidRequestException naming the place that is broken, or the limit
   */
  public synchronized TokenMasks of(TextPattern pattern) {
    if (pattern == null) {
      return null;
    }
    TokenMasks masks = kept.get(pattern.regex());
    if (masks == null) {
      masks = new TokenMasks(compile(pattern), tokenizer, vocab);
      kept.put(pattern.regex(), masks);
    }
    return masks;
  }

  private static ByteAutomaton compile(TextPattern pattern) {
    try {
      ByteAutomaton automaton = ByteAutomaton.ofRegex(pattern.regex());
      if (!automaton.goesOn(ByteAutomaton.START)) {
        throw new InvalidRequestException(
            pattern.field() + " matches only the empty text; it must match at least a character");
      }
      return automaton;
    } catch (PatternException e) {
      throw new InvalidRequestException(pattern.field() + " " + e.getMessage());
    }
  }
}

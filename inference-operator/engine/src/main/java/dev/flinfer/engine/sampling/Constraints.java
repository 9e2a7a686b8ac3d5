package dev.flinfer.engine.sampling;

import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.structured.ByteAutomaton;
import dev.flinfer.engine.structured.PatternException;
import dev.flinfer.engine.tokenizer.Tokenizer;
import java.util.Map;

/** Token masks of the most recently used patterns; requests usually share a few. Thread-safe. */
public final class Constraints {
  private static final int MAX_KEPT = 64;

  private final Tokenizer tokenizer;
  private final int vocab;
  private final Map<String, TokenMasks> kept = new Latest<>(MAX_KEPT);

  public Constraints(Tokenizer tokenizer, int vocab) {
    this.tokenizer = tokenizer;
    this.vocab = vocab;
  }

  /**
   * Returns the token masks of a pattern, or null for null.
   *
   * @throws InvalidRequestException naming the invalid place, or the limit
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
            pattern.field() + " matches only the empty text; it must match at least one character");
      }
      return automaton;
    } catch (PatternException e) {
      throw new InvalidRequestException(pattern.field() + " " + e.getMessage());
    }
  }
}

package dev.flinfer.engine.sampling;

import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.structured.ByteAutomaton;
import dev.flinfer.engine.structured.PatternException;
import dev.flinfer.engine.tokenizer.Tokenizer;
import java.util.Iterator;
import java.util.Map;

/** Token masks of the most recently used patterns; requests usually share a few. Thread-safe. */
public final class Constraints {
  private static final int MAX_KEPT = 64;

  /** The largest automaton that the limits allow has 8 MB, a usual one less than 1 MB. */
  private static final long MAX_KEPT_BYTES = 64 << 20;

  private final Tokenizer tokenizer;
  private final int vocab;
  private final Map<TextPattern, TokenMasks> kept = new Latest<>(MAX_KEPT);

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
    TokenMasks masks = kept.get(pattern);
    if (masks == null) {
      masks = new TokenMasks(compile(pattern), tokenizer, vocab);
      kept.put(pattern, masks);
      removeEldest();
    }
    return masks;
  }

  private void removeEldest() {
    long bytes = kept.values().stream().mapToLong(masks -> masks.automaton.bytes()).sum();
    Iterator<TokenMasks> eldest = kept.values().iterator();
    while (bytes > MAX_KEPT_BYTES) {
      bytes -= eldest.next().automaton.bytes();
      eldest.remove();
    }
  }

  private static ByteAutomaton compile(TextPattern pattern) {
    try {
      ByteAutomaton automaton = pattern.compile();
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

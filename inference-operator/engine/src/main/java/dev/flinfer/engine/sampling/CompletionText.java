package dev.flinfer.engine.sampling;

import dev.flinfer.engine.tokenizer.Tokenizer;

/** The text of a completion while its tokens are generated, and whether a stop string ended it. */
public final class CompletionText {
  private final Tokenizer.IncrementalDecoder decoder;
  private final StopConditions stops;

  /** Characters at the end that are not streamed yet, as they may start a stop string. */
  private final int heldBack;

  private final StringBuilder text = new StringBuilder();
  private int state = StopStrings.START;
  private int streamed;
  private boolean stopped;
  private int tokens;

  public CompletionText(Tokenizer.IncrementalDecoder decoder, StopConditions stops) {
    this.decoder = decoder;
    this.stops = stops;
    this.heldBack = stops.includeString() ? 0 : Math.max(0, stops.strings().longest() - 1);
  }

  /** Adds a token. */
  public void add(int token) {
    tokens++;
    append(decoder.add(token));
  }

  /** Ends the text; no token follows. */
  public void finish() {
    if (!stopped) {
      append(decoder.finish());
    }
  }

  /** Whether a stop string has ended the text. */
  public boolean stopped() {
    return stopped;
  }

  /** The text, without the stop string unless the request includes it. */
  @Override
  public String toString() {
    return text.toString();
  }

  /**
   * Returns the text that can be streamed and has not been streamed yet.
   *
   * @param last whether the text is complete
   */
  public String stream(boolean last) {
    int end = last || stopped ? text.length() : text.length() - heldBack;
    if (end <= streamed) {
      return "";
    }
    if (Character.isHighSurrogate(text.charAt(end - 1)) && end < text.length()) {
      end--;
    }
    String part = text.substring(streamed, end);
    streamed = end;
    return part;
  }

  private void append(String part) {
    text.append(part);
    if (!stops.strings().isEmpty()) {
      findStop(part);
    }
  }

  /**
   * Ends the text at the stop string that starts first, of those that end in the new part; of
   * several that start at the same place it is the first in the request.
   */
  private void findStop(String part) {
    StopStrings strings = stops.strings();
    // A stop string that ends within the first min_tokens is not found later either.
    boolean counts = tokens > stops.minTokens();
    int first = Integer.MAX_VALUE;
    int found = StopStrings.NO_MATCH;
    for (int i = 0; i < part.length(); i++) {
      state = strings.next(state, part.charAt(i));
      int match = strings.match(state);
      if (counts && match != StopStrings.NO_MATCH) {
        int start = text.length() - part.length() + i + 1 - strings.length(match);
        if (start < first || (start == first && match < found)) {
          first = start;
          found = match;
        }
      }
    }
    if (found != StopStrings.NO_MATCH) {
      stopped = true;
      text.setLength(stops.includeString() ? first + strings.length(found) : first);
    }
  }
}

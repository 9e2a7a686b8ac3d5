package dev.flinfer.engine.sampling;

import dev.flinfer.engine.tokenizer.Tokenizer;

/** The text of a completion while its tokens are generated, and whether a stop string ended it. */
public final class CompletionText {
  private final Tokenizer.IncrementalDecoder decoder;
  private final StopConditions stops;

  /** Characters at the end that are not streamed yet, as they may start a stop string. */
  private final int heldBack;

  private final StringBuilder text = new StringBuilder();
  private int streamed;
  private boolean stopped;
  private int tokens;

  public CompletionText(Tokenizer.IncrementalDecoder decoder, StopConditions stops) {
    this.decoder = decoder;
    this.stops = stops;
    int longest = stops.strings().stream().mapToInt(String::length).max().orElse(1);
    this.heldBack = stops.includeString() ? 0 : longest - 1;
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
    int before = text.length();
    text.append(part);
    if (stops.strings().isEmpty() || tokens <= stops.minTokens()) {
      return; // a stop string that ends here is not found later either
    }
    int first = -1;
    int end = 0;
    for (String s : stops.strings()) {
      int at = text.indexOf(s, Math.max(0, before - s.length() + 1));
      if (at >= 0 && (first < 0 || at < first)) {
        first = at;
        end = stops.includeString() ? at + s.length() : at;
      }
    }
    if (first >= 0) {
      stopped = true;
      text.setLength(end);
    }
  }
}

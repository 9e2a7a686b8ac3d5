package dev.flinfer.engine;

import dev.flinfer.engine.tokenizer.Tokenizer;
import java.util.List;

/** The text of a completion as its tokens come, and whether a stop string has ended it. */
final class CompletionText {
  private final Tokenizer.IncrementalDecoder decoder;
  private final List<String> stop;

  /** Characters at the end that may be the start of a stop string, and so are not streamed yet. */
  private final int heldBack;

  private final StringBuilder text = new StringBuilder();
  private int streamed;
  private boolean stopped;

  CompletionText(Tokenizer.IncrementalDecoder decoder, List<String> stop) {
    this.decoder = decoder;
    this.stop = stop;
    this.heldBack = stop.stream().mapToInt(s -> s.length() - 1).max().orElse(0);
  }

  /** Adds a token. */
  void add(int token) {
    append(decoder.add(token));
  }

  /** No token follows. */
  void finish() {
    if (!stopped) {
      append(decoder.finish());
    }
  }

  /** Whether a stop string has ended the text. */
  boolean stopped() {
    return stopped;
  }

  /** The text without the stop string. */
  @Override
  public String toString() {
    return text.toString();
  }

  /**
   * What can be shown and has not been yet.
   *
   * @param last whether the text is complete
   */
  String stream(boolean last) {
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
    int from = Math.max(0, text.length() - heldBack);
    text.append(part);
    int first = -1;
    for (String s : stop) {
      int at = text.indexOf(s, from);
      if (at >= 0 && (first < 0 || at < first)) {
        first = at;
      }
    }
    if (first >= 0) {
      stopped = true;
      text.setLength(first);
    }
  }
}

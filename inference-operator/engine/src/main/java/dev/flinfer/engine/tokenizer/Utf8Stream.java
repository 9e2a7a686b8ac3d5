package dev.flinfer.engine.tokenizer;

import java.util.Arrays;
import java.util.function.IntFunction;

/** Turns bytes that arrive in parts into text, and holds a character back until it is complete. */
final class Utf8Stream implements Tokenizer.IncrementalDecoder {
  private static final byte[] NOTHING = {};

  private final IntFunction<byte[]> bytesOfToken;
  private final IntFunction<String> textOfToken;
  private byte[] pending = NOTHING; // at most 3 bytes, the start of a character

  /**
   * @param textOfToken the text of a token of whole characters, null for other tokens
   */
  Utf8Stream(IntFunction<byte[]> bytesOfToken, IntFunction<String> textOfToken) {
    this.bytesOfToken = bytesOfToken;
    this.textOfToken = textOfToken;
  }

  @Override
  public String add(int token) {
    if (pending.length == 0) {
      String text = textOfToken.apply(token);
      if (text != null) {
        return text;
      }
    }
    byte[] added = bytesOfToken.apply(token);
    if (added.length == 0) {
      return "";
    }
    byte[] all = Arrays.copyOf(pending, pending.length + added.length);
    System.arraycopy(added, 0, all, pending.length, added.length);
    int whole = all.length - Utf8.unfinished(all);
    pending = Arrays.copyOfRange(all, whole, all.length);
    return Utf8.decode(all, whole);
  }

  @Override
  public String finish() {
    String rest = Utf8.decode(pending, pending.length);
    pending = NOTHING;
    return rest;
  }
}

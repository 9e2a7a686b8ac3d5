package dev.flinfer.engine.tokenizer;

import java.util.Arrays;
import java.util.function.IntFunction;

/** Turns bytes that arrive in portions into text, and keeps back a character until it is whole. */
final class Utf8Stream implements Tokenizer.IncrementalDecoder {
  private final IntFunction<byte[]> bytesOfToken;
  private byte[] pending = new byte[0]; // at most 3, the start of a character

  Utf8Stream(IntFunction<byte[]> bytesOfToken) {
    this.bytesOfToken = bytesOfToken;
  }

  @Override
  public String add(int token) {
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
    pending = new byte[0];
    return rest;
  }
}

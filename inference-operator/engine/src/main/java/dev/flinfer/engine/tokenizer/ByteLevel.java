package dev.flinfer.engine.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * GPT-2's alphabet: each byte as one visible character, so that vocabularies are readable text.
 * Bytes that are visible in Latin-1 stand for themselves; the others are U+0100 and up in order.
 */
final class ByteLevel {
  private static final char[] CHAR_OF_BYTE = new char[256];

  /** The byte of a character of the alphabet, -1 for others. All are below U+0144. */
  private static final int[] BYTE_OF_CHAR = new int[0x144];

  static {
    Arrays.fill(BYTE_OF_CHAR, -1);
    char next = 0x100;
    for (int b = 0; b < 256; b++) {
      boolean visible = (b > 0x20 && b < 0x7F) || (b > 0xA0 && b != 0xAD);
      CHAR_OF_BYTE[b] = visible ? (char) b : next++;
      BYTE_OF_CHAR[CHAR_OF_BYTE[b]] = b;
    }
  }

  private ByteLevel() {}

  static char charOf(int unsignedByte) {
    return CHAR_OF_BYTE[unsignedByte];
  }

  /**
   * Returns the bytes that a token stands for. As in Hugging Face's decoder, a token with a
   * character outside the alphabet, such as an added token of spaces, stands for its own text.
   */
  static byte[] bytesOf(String token) {
    byte[] bytes = new byte[token.length()];
    for (int i = 0; i < bytes.length; i++) {
      char c = token.charAt(i);
      int b = c < BYTE_OF_CHAR.length ? BYTE_OF_CHAR[c] : -1;
      if (b < 0) {
        return token.getBytes(StandardCharsets.UTF_8);
      }
      bytes[i] = (byte) b;
    }
    return bytes;
  }
}

package dev.flinfer.schema;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.StandardCharsets;

/** Checks that UTF-8 requires and that Java's strings and Jackson's parser do not make. */
final class Unicode {
  private Unicode() {}

  /** The index of the first byte after a byte order mark in UTF-8; 0 if there is none. */
  static int afterMark(byte[] bytes) {
    boolean marked =
        bytes.length >= 3
            && bytes[0] == (byte) 0xEF
            && bytes[1] == (byte) 0xBB
            && bytes[2] == (byte) 0xBF;
    return marked ? 3 : 0;
  }

  /** The index of the first byte that is not UTF-8, or -1. */
  static int firstInvalidByte(byte[] bytes) {
    int ascii = 0;
    while (ascii < bytes.length && bytes[ascii] >= 0) {
      ascii++;
    }
    if (ascii == bytes.length) {
      return -1;
    }
    // A new decoder reports instead of replacing.
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    ByteBuffer rest = ByteBuffer.wrap(bytes, ascii, bytes.length - ascii);
    try {
      decoder.decode(rest);
      return -1;
    } catch (CharacterCodingException e) {
      return rest.position();
    }
  }

  /**
   * @throws JsonMismatch if the text has an unpaired surrogate, which JSON's escapes can produce
   */
  static String requirePaired(String text) {
    int at = firstUnpaired(text, 0);
    if (at >= 0) {
      throw JsonMismatch.of(
          JsonMismatch.quote(text)
              + " is not text: unpaired surrogate at index "
              + at
              + "; write a character beyond U+FFFF as itself or as two escapes");
    }
    return text;
  }

  /** The text with U+FFFD in place of each unpaired surrogate. */
  static String replaceUnpaired(String text) {
    int at = firstUnpaired(text, 0);
    if (at < 0) {
      return text;
    }
    StringBuilder out = new StringBuilder(text);
    for (; at >= 0; at = firstUnpaired(text, at + 1)) {
      out.setCharAt(at, '\uFFFD');
    }
    return out.toString();
  }

  private static int firstUnpaired(String text, int from) {
    for (int i = from; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isSurrogate(c)) {
        boolean pair =
            Character.isHighSurrogate(c)
                && i + 1 < text.length()
                && Character.isLowSurrogate(text.charAt(i + 1));
        if (!pair) {
          return i;
        }
        i++;
      }
    }
    return -1;
  }
}

package dev.flinfer.engine.tokenizer;

import java.nio.charset.StandardCharsets;

/**
 * Converts bytes to text, with U+FFFD for invalid bytes: one for each maximal subpart of a
 * character, as the Unicode standard recommends (table 3-7 and "U+FFFD Substitution of Maximal
 * Subparts"). So does Rust's from_utf8_lossy, which Hugging Face's decoder uses. Java's decoder
 * differs: for ED A0 80, an encoded surrogate, it gives one U+FFFD instead of three.
 */
final class Utf8 {
  private static final char REPLACEMENT = '\uFFFD';

  private Utf8() {}

  /** Returns the text of {@code bytes[0..length)}. */
  static String decode(byte[] bytes, int length) {
    String text = new String(bytes, 0, length, StandardCharsets.UTF_8);
    if (text.indexOf(REPLACEMENT) < 0) {
      return text;
    }
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < length; ) {
      int valid = validPrefix(bytes, i, length);
      if (valid > 0 && valid == lengthOf(bytes[i])) {
        out.append(new String(bytes, i, valid, StandardCharsets.UTF_8));
      } else {
        out.append(REPLACEMENT);
      }
      i += Math.max(1, valid);
    }
    return out.toString();
  }

  /**
   * Returns the text of bytes if no further bytes could change it; null if some could, or there are
   * none.
   */
  static String whole(byte[] bytes) {
    return bytes.length == 0 || unfinished(bytes) > 0 ? null : decode(bytes, bytes.length);
  }

  /** The number of bytes at the end that begin a character that further bytes could complete. */
  static int unfinished(byte[] bytes) {
    for (int back = 1; back <= Math.min(3, bytes.length); back++) {
      int start = bytes.length - back;
      if (lengthOf(bytes[start]) > 0) {
        boolean open = back < lengthOf(bytes[start]);
        return open && validPrefix(bytes, start, bytes.length) == back ? back : 0;
      }
    }
    return 0;
  }

  /** The number of bytes from {@code start} on that form a character or its start; 0 for none. */
  private static int validPrefix(byte[] bytes, int start, int end) {
    int length = lengthOf(bytes[start]);
    int valid = Math.min(1, length);
    while (valid < length
        && start + valid < end
        && mayFollow(bytes[start], valid, bytes[start + valid])) {
      valid++;
    }
    return valid;
  }

  /** The length of the character that a byte begins; 0 if it begins none. */
  private static int lengthOf(byte first) {
    int lead = first & 0xFF;
    if (lead < 0x80) {
      return 1;
    }
    if (lead < 0xC2 || lead > 0xF4) {
      return 0;
    }
    return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  }

  /** No overlong forms, no surrogates, nothing past U+10FFFF: the second byte decides. */
  private static boolean mayFollow(byte first, int index, byte next) {
    int lead = index == 1 ? first & 0xFF : 0;
    int low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
    int high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
    return (next & 0xFF) >= low && (next & 0xFF) <= high;
  }
}

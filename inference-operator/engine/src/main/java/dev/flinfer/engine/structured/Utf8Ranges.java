package dev.flinfer.engine.structured;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Converts a range of code points to its UTF-8 encodings, as sequences of ranges of bytes. */
final class Utf8Ranges {
  /** The last code points of one, two, three and four bytes. */
  private static final int[] LAST_OF_LENGTH = {0x7f, 0x7ff, 0xffff, 0x10ffff};

  private static final int BITS = 6; // of a code point in a continuation byte

  private Utf8Ranges() {}

  /**
   * @return sequences (2 x bytes): the first and last value of the first byte, of the second, ...;
   *     together they match exactly these code points
   */
  static List<int[]> of(int first, int last) {
    List<int[]> all = new ArrayList<>();
    int from = first;
    for (int end : LAST_OF_LENGTH) {
      if (from <= end && from <= last) {
        split(from, Math.min(end, last), all);
        from = end + 1;
      }
    }
    return all;
  }

  /** Splits code points of one length until each byte of a part has its own independent range. */
  private static void split(int first, int last, List<int[]> all) {
    int length = bytes(first).length;
    for (int i = 1; i < length; i++) {
      int low = (1 << BITS * i) - 1; // the bits of the last i bytes
      if ((first & ~low) != (last & ~low)) {
        if ((first & low) != 0) {
          split(first, first | low, all);
          split((first | low) + 1, last, all);
          return;
        }
        if ((last & low) != low) {
          split(first, (last & ~low) - 1, all);
          split(last & ~low, last, all);
          return;
        }
      }
    }
    byte[] from = bytes(first);
    byte[] to = bytes(last);
    int[] ranges = new int[2 * length];
    for (int i = 0; i < length; i++) {
      ranges[2 * i] = Byte.toUnsignedInt(from[i]);
      ranges[2 * i + 1] = Byte.toUnsignedInt(to[i]);
    }
    all.add(ranges);
  }

  private static byte[] bytes(int codePoint) {
    return Character.toString(codePoint).getBytes(StandardCharsets.UTF_8);
  }
}

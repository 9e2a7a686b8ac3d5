package dev.flinfer.engine.weights;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Reads a GGUF header from its start and checks every length against the bytes that are left. */
final class GgufCursor {
  /** A header with a vocabulary has a few megabytes. Bounds the time and memory of reading it. */
  static final long MAX_HEADER_BYTES = 64L << 20;

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final Path file;
  private final MemorySegment all;
  private final long end;
  private long at;

  GgufCursor(Path file, MemorySegment all) {
    this.file = file;
    this.all = all;
    this.end = Math.min(all.byteSize(), MAX_HEADER_BYTES);
  }

  /** Bytes read so far. */
  long position() {
    return at;
  }

  void seek(long position) {
    at = position;
  }

  byte int8(String place) {
    return all.get(ValueLayout.JAVA_BYTE, take(1, place));
  }

  short int16(String place) {
    return all.get(SHORT, take(2, place));
  }

  int int32(String place) {
    return all.get(INT, take(4, place));
  }

  long int64(String place) {
    return all.get(LONG, take(8, place));
  }

  /** Reads an unsigned 64-bit count of entries that take at least {@code bytes} each. */
  long count(String place, long limit, int bytes) {
    long count = int64(place);
    long room = Math.min(limit, (end - at) / bytes);
    if (count < 0 || count > room) {
      throw new WeightFileException(
          file,
          "%s is %s; the limit is %d, and %d bytes of the file are left"
              .formatted(place, Long.toUnsignedString(count), limit, all.byteSize() - at));
    }
    return count;
  }

  String string(String place, int limit) {
    int length = (int) count("the length of " + place, limit, 1);
    long from = take(length, place);
    byte[] bytes = all.asSlice(from, length).toArray(ValueLayout.JAVA_BYTE);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  /** Skips bytes and returns where they begin. */
  long take(long bytes, String place) {
    if (bytes > end - at) {
      throw new WeightFileException(
          file,
          end < all.byteSize()
              ? "%s extends beyond byte %d, the limit of a header".formatted(place, end)
              : "%s extends beyond the file's %d bytes (is the file truncated?)"
                  .formatted(place, all.byteSize()));
    }
    long from = at;
    at += bytes;
    return from;
  }

  WeightFileException error(String message) {
    return new WeightFileException(file, message);
  }
}

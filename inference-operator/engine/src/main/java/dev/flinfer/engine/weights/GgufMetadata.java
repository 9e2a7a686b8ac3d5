package dev.flinfer.engine.weights;

import java.math.BigInteger;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The key-value pairs of a GGUF file. Arrays are read only on request, so that the lengths that a
 * header claims do not decide how much memory is allocated.
 */
public final class GgufMetadata {
  private static final int MAX_PAIRS = 1 << 16;

  /** The format's limit. */
  private static final int MAX_KEY = (1 << 16) - 1;

  private static final int MAX_STRING = 16 << 20;
  private static final int MAX_NESTING = 4;
  private static final int STRING = 8;
  private static final int ARRAY = 9;

  /** The size in bytes of a value, by its type's number; 0 for strings and arrays. */
  private static final int[] SIZES = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

  private final Path file;
  private final GgufCursor cursor;
  private final Map<String, Object> values = new HashMap<>();

  /** An array in the file. */
  private record Array(int type, long count, long offset) {
    @Override
    public String toString() {
      return "an array of " + count + " entries";
    }
  }

  GgufMetadata(Path file, GgufCursor cursor, long pairs) {
    this.file = file;
    this.cursor = cursor;
    for (long i = 0; i < pairs; i++) {
      String key = cursor.string("key " + i, MAX_KEY);
      Object value = value(key, cursor.int32("the type of " + show(key)));
      if (values.put(key, value) != null) {
        throw new WeightFileException(file, "has the key %s twice".formatted(show(key)));
      }
    }
  }

  /** Reads the number of pairs, of which each takes at least 13 bytes. */
  static long pairs(GgufCursor cursor) {
    return cursor.count("the number of key-value pairs", MAX_PAIRS, 13);
  }

  /** The file, for messages. */
  public Path file() {
    return file;
  }

  /** The keys, in no order. */
  public Set<String> keys() {
    return Collections.unmodifiableSet(values.keySet());
  }

  /** Whether the file has this key. */
  public boolean has(String key) {
    return values.containsKey(key);
  }

  /** Returns a whole number within limits. */
  public int integer(String key, int from, int to) {
    Object value = values.get(key);
    if (!(value instanceof Long) || (long) value < from || (long) value > to) {
      throw wrong(key, "a whole number from %d to %d".formatted(from, to));
    }
    return Math.toIntExact((long) value);
  }

  /** Returns a number above 0, or {@code otherwise} if the key is missing. */
  public double number(String key, double otherwise) {
    Object value = values.getOrDefault(key, otherwise);
    double number = value instanceof Number n ? n.doubleValue() : Double.NaN;
    if (!(number > 0 && number < Double.POSITIVE_INFINITY)) {
      throw wrong(key, "a number above 0");
    }
    return number;
  }

  /** Returns a string, or null if the key is missing. */
  public String text(String key) {
    Object value = values.get(key);
    if (value != null && !(value instanceof String)) {
      throw wrong(key, "a string");
    }
    return (String) value;
  }

  /**
   * Refuses a value that is present and not one of these, given as text such as {@code 1.0} or
   * {@code none}.
   */
  public void mayBe(String key, String... allowed) {
    Object value = values.get(key);
    if (value != null && !List.of(allowed).contains(value.toString())) {
      throw wrong(key, String.join(" or ", allowed) + ", no other value is supported");
    }
  }

  /** Returns an array of strings. */
  public List<String> texts(String key, int limit) {
    Array array = array(key, limit);
    if (array.type != STRING) {
      throw wrong(key, "an array of strings");
    }
    List<String> texts = new ArrayList<>();
    cursor.seek(array.offset);
    for (int i = 0; i < array.count; i++) {
      texts.add(cursor.string(key, MAX_STRING));
    }
    return texts;
  }

  /** Returns an array of 32-bit whole numbers. */
  public int[] integers(String key, int limit) {
    Array array = array(key, limit);
    if (array.type != 4 && array.type != 5) {
      throw wrong(key, "an array of 32-bit whole numbers");
    }
    cursor.seek(array.offset);
    int[] integers = new int[(int) array.count];
    for (int i = 0; i < integers.length; i++) {
      integers[i] = cursor.int32(key);
    }
    return integers;
  }

  private Array array(String key, int limit) {
    if (!(values.get(key) instanceof Array array) || array.count > limit) {
      throw wrong(key, "an array of at most " + limit + " entries");
    }
    return array;
  }

  private Object value(String key, int type) {
    return switch (type) {
      case 0 -> (long) (cursor.int8(key) & 0xFF);
      case 1 -> (long) cursor.int8(key);
      case 2 -> (long) (cursor.int16(key) & 0xFFFF);
      case 3 -> (long) cursor.int16(key);
      case 4 -> cursor.int32(key) & 0xFFFFFFFFL;
      case 5 -> (long) cursor.int32(key);
      // As the decimal that was meant, 1e-5 and not 9.99...e-6, as config.json has it.
      case 6 -> Double.valueOf(Float.toString(Float.intBitsToFloat(cursor.int32(key))));
      case 7 -> bool(key, cursor.int8(key));
      case STRING -> cursor.string(key, MAX_STRING);
      case ARRAY -> skipArray(key, 0);
      case 10 -> unsigned(cursor.int64(key));
      case 11 -> cursor.int64(key);
      case 12 -> Double.longBitsToDouble(cursor.int64(key));
      default -> throw unknownType(key, type);
    };
  }

  private static Object unsigned(long bits) {
    return bits >= 0 ? (Object) bits : new BigInteger(Long.toUnsignedString(bits));
  }

  private boolean bool(String key, byte value) {
    if (value != 0 && value != 1) {
      throw new WeightFileException(
          file, "%s is the byte %d; a boolean is 0 or 1".formatted(show(key), value));
    }
    return value == 1;
  }

  /** Skips an array. */
  private Array skipArray(String key, int depth) {
    if (depth == MAX_NESTING) {
      throw new WeightFileException(
          file,
          "%s nests arrays deeper than %d levels, which is the limit"
              .formatted(show(key), MAX_NESTING));
    }
    int type = cursor.int32("the type of the array " + show(key));
    if (type < 0 || type >= SIZES.length) {
      throw unknownType(key, type);
    }
    int least = SIZES[type] > 0 ? SIZES[type] : type == STRING ? 8 : 12;
    long count = cursor.count("the length of the array " + show(key), Integer.MAX_VALUE, least);
    long offset = cursor.position();
    if (SIZES[type] > 0) {
      cursor.take(count * SIZES[type], key);
    } else {
      for (long i = 0; i < count; i++) {
        if (type == STRING) {
          cursor.take(cursor.count("the length of a string in " + show(key), MAX_STRING, 1), key);
        } else {
          skipArray(key, depth + 1);
        }
      }
    }
    return new Array(type, count, offset);
  }

  private WeightFileException unknownType(String key, int type) {
    return new WeightFileException(
        file, "%s has type %d; the format has the types 0 to 12".formatted(show(key), type));
  }

  private WeightFileException wrong(String key, String expected) {
    Object value = values.getOrDefault(key, "missing");
    return new WeightFileException(
        file, "%s is %s; it must be %s".formatted(key, show(value.toString()), expected));
  }

  private static String show(String text) {
    return text.length() <= 60 ? text : text.substring(0, 60) + "...";
  }
}

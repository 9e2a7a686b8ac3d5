package dev.flinfer.engine;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Writes GGUF files without checks, so invalid ones too. */
public final class GgufWriter {
  private final ByteArrayOutputStream pairs = new ByteArrayOutputStream();
  private final ByteArrayOutputStream infos = new ByteArrayOutputStream();
  private final ByteArrayOutputStream data = new ByteArrayOutputStream();
  private long pairCount;
  private long tensorCount;
  private int version = 3;
  private int alignment = 32;

  /** The version in the header; 3 unless set. */
  public GgufWriter version(int version) {
    this.version = version;
    return this;
  }

  /** The alignment of the tensors, without the key for it; 32 unless set. */
  public GgufWriter alignment(int alignment) {
    this.alignment = alignment;
    return this;
  }

  public GgufWriter put(String key, int value) {
    return pair(key, 4, ints(value));
  }

  public GgufWriter put(String key, long value) {
    return pair(key, 10, longs(value));
  }

  public GgufWriter put(String key, float value) {
    return pair(key, 6, ints(Float.floatToRawIntBits(value)));
  }

  public GgufWriter put(String key, boolean value) {
    return pair(key, 7, new byte[] {(byte) (value ? 1 : 0)});
  }

  public GgufWriter put(String key, String value) {
    return pair(key, 8, string(value));
  }

  public GgufWriter put(String key, List<String> values) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(ints(8));
    out.writeBytes(longs(values.size()));
    values.forEach(value -> out.writeBytes(string(value)));
    return pair(key, 9, out.toByteArray());
  }

  public GgufWriter put(String key, int[] values) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(ints(5));
    out.writeBytes(longs(values.length));
    for (int value : values) {
      out.writeBytes(ints(value));
    }
    return pair(key, 9, out.toByteArray());
  }

  /** A pair of any type with any bytes. */
  public GgufWriter pair(String key, int type, byte[] value) {
    pairs.writeBytes(string(key));
    pairs.writeBytes(ints(type));
    pairs.writeBytes(value);
    pairCount++;
    return this;
  }

  /** A tensor after those written so far. */
  public GgufWriter tensor(String name, int type, long[] shape, byte[] bytes) {
    while (data.size() % alignment != 0) {
      data.write(0);
    }
    info(name, type, shape, data.size());
    data.writeBytes(bytes);
    return this;
  }

  /** A tensor's entry in the header; {@code shape} is outermost dimension first. */
  public GgufWriter info(String name, int type, long[] shape, long offset) {
    infos.writeBytes(string(name));
    infos.writeBytes(ints(shape.length));
    for (int i = shape.length - 1; i >= 0; i--) {
      infos.writeBytes(longs(shape[i]));
    }
    infos.writeBytes(ints(type));
    infos.writeBytes(longs(offset));
    tensorCount++;
    return this;
  }

  /** Bytes after the tensors so far. */
  public GgufWriter bytes(int count) {
    data.writeBytes(new byte[count]);
    return this;
  }

  public byte[] toBytes() {
    return toBytes(tensorCount, pairCount);
  }

  /** The file with the given counts in the header, true or not. */
  public byte[] toBytes(long tensors, long keys) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
    out.writeBytes(ints(version));
    out.writeBytes(longs(tensors, keys));
    out.writeBytes(pairs.toByteArray());
    out.writeBytes(infos.toByteArray());
    while (data.size() > 0 && out.size() % alignment != 0) {
      out.write(0);
    }
    out.writeBytes(data.toByteArray());
    return out.toByteArray();
  }

  public void write(Path file) {
    try {
      Files.write(file, toBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static byte[] string(String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    return little(8 + bytes.length).putLong(bytes.length).put(bytes).array();
  }

  public static byte[] ints(int... values) {
    ByteBuffer buffer = little(4 * values.length);
    buffer.asIntBuffer().put(values);
    return buffer.array();
  }

  public static byte[] longs(long... values) {
    ByteBuffer buffer = little(8 * values.length);
    buffer.asLongBuffer().put(values);
    return buffer.array();
  }

  private static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}

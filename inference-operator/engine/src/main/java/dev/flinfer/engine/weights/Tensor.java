package dev.flinfer.engine.weights;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A tensor in a mapped file.
 *
 * @param file its file, for messages
 * @param name its name in the file
 * @param dtype type of the elements
 * @param shape outermost dimension first; the last is whole blocks of {@code dtype}
 * @param data the elements, row-major, little-endian; not aligned
 */
public record Tensor(Path file, String name, DType dtype, List<Long> shape, MemorySegment data) {
  private static final int SAMPLE_BYTES = 256;

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** The number of elements. */
  public long elements() {
    return data.byteSize() / dtype.blockBytes() * dtype.blockSize();
  }

  /**
   * Returns this tensor after checking that it has the shape that a model needs.
   *
   * @param source subject and verb for the message, such as "config.json requires"
   */
  Tensor withShape(String source, long... expected) {
    List<Long> required = Arrays.stream(expected).boxed().toList();
    if (!shape.equals(required)) {
      throw new WeightFileException(
          file, "tensor %s has shape %s; %s %s".formatted(name, shape, source, required));
    }
    return this;
  }

  /**
   * Copies {@code count} elements from {@code from} on, widened to floats. Both are whole blocks.
   */
  public void copyTo(long from, float[] target, int at, int count) {
    switch (dtype) {
      case F32 -> MemorySegment.copy(data, FLOAT, from * 4, target, at, count);
      case F16 -> {
        for (int i = 0; i < count; i++) {
          target[at + i] = Float.float16ToFloat(data.get(SHORT, (from + i) * 2));
        }
      }
      case BF16 -> {
        for (int i = 0; i < count; i++) {
          target[at + i] = Float.intBitsToFloat(data.get(SHORT, (from + i) * 2) << 16);
        }
      }
      default -> {
        QuantizedRun run = new QuantizedRun(dtype, count);
        run.read(this, from, count);
        run.copyTo(target, at);
      }
    }
  }

  /** Copies the bits of {@code count} elements of a 16-bit type. */
  public void copyBits(long from, short[] target, int at, int count) {
    MemorySegment.copy(data, SHORT, from * 2, target, at, count);
  }

  /** Returns rows of a matrix as a tensor over the same file. */
  public Tensor rows(long from, long count) {
    List<Long> part = new ArrayList<>(shape);
    part.set(0, count);
    long rowBytes = data.byteSize() / shape.get(0);
    return new Tensor(
        file, name, dtype, List.copyOf(part), data.asSlice(from * rowBytes, count * rowBytes));
  }

  /**
   * Adds the bytes at its beginning, in its middle and at its end. Different training changes all
   * of them, and reading all bytes would take as long as loading.
   */
  void sampleTo(MessageDigest digest) {
    long length = Math.min(SAMPLE_BYTES, data.byteSize());
    long last = data.byteSize() - length;
    for (long from : new long[] {0, last / 2, last}) {
      digest.update(data.asSlice(from, length).asByteBuffer());
    }
  }

  /**
   * Returns all elements as floats; for vectors.
   *
   * @throws WeightFileException if one is not finite
   */
  public float[] toFloats() {
    float[] floats = new float[Math.toIntExact(elements())];
    copyFiniteTo(0, floats);
    return floats;
  }

  /**
   * Fills {@code target} with elements from {@code from} on.
   *
   * @throws WeightFileException if one is not finite
   */
  public void copyFiniteTo(long from, float[] target) {
    copyTo(from, target, 0, target.length);
    boolean finite = true;
    for (float value : target) {
      finite &= Float.isFinite(value);
    }
    if (!finite) {
      throw notFinite(from);
    }
  }

  /** Creates the error for an element that is NaN or infinite. */
  public WeightFileException notFinite(long element) {
    return new WeightFileException(
        file,
        ("tensor %s holds NaN or infinity at or after element %d; a model with such weights"
                + " computes only NaN. Download the file again")
            .formatted(name, element));
  }
}

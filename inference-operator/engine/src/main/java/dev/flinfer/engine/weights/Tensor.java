package dev.flinfer.engine.weights;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/**
 * A tensor in a mapped file.
 *
 * @param name as the checkpoint names it
 * @param dtype type of the elements
 * @param shape outermost dimension first
 * @param data the elements, row-major, little-endian; not aligned
 */
public record Tensor(String name, DType dtype, List<Long> shape, MemorySegment data) {
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Copies {@code count} elements from {@code from} on, widened to floats. */
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
    }
  }

  /** All elements as floats; for vectors. */
  public float[] toFloats() {
    float[] floats = new float[Math.toIntExact(data.byteSize() / dtype.bytes())];
    copyTo(0, floats, 0, floats.length);
    return floats;
  }
}

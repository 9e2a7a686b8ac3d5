package dev.flinfer.engine.weights;

/**
 * Types in which weights are stored; all little-endian. The quantized types are those of <a
 * href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">GGUF</a>: blocks of elements, in
 * which groups share a scale and, in some types, a minimum.
 */
public enum DType {
  F32(1, 4, 0, false),
  F16(1, 2, 0, false),
  BF16(1, 2, 0, false),
  Q8_0(32, 34, 32, false),
  Q4_0(32, 18, 32, false),
  Q4_1(32, 20, 32, true),
  Q5_0(32, 22, 32, false),
  Q5_1(32, 24, 32, true),
  Q4_K(256, 144, 32, true),
  Q5_K(256, 176, 32, true),
  Q6_K(256, 210, 16, false);

  private final int blockSize;
  private final int blockBytes;
  private final int groupSize;
  private final boolean minimum;

  DType(int blockSize, int blockBytes, int groupSize, boolean minimum) {
    this.blockSize = blockSize;
    this.blockBytes = blockBytes;
    this.groupSize = groupSize;
    this.minimum = minimum;
  }

  /** Elements in a block; rows are whole blocks. 1 for types that are not quantized. */
  public int blockSize() {
    return blockSize;
  }

  /** Bytes in a block. */
  public int blockBytes() {
    return blockBytes;
  }

  /** Elements that share a scale; 0 for types that are not quantized. */
  public int groupSize() {
    return groupSize;
  }

  /** Whether a group has a minimum in addition to its scale. */
  public boolean hasMinimum() {
    return minimum;
  }

  /** Whether elements are codes with a scale. */
  public boolean isQuantized() {
    return groupSize > 0;
  }

  /** The size in bytes of the given number of elements, which must be whole blocks. */
  public long byteSize(long elements) {
    return elements / blockSize * blockBytes;
  }
}

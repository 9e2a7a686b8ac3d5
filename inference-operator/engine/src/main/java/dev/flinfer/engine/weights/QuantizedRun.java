package dev.flinfer.engine.weights;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A contiguous part of a quantized tensor, unpacked: element {@code i} is {@code codes[i] *
 * scales[g] + minimums[g]} with {@code g = i / groupSize}. The products are exact in a float, so
 * the sum is rounded once and a fused multiply-add gives the same bits. Reusable; not thread-safe.
 */
public final class QuantizedRun {
  private final DType dtype;
  private final byte[] raw;
  private final byte[] codes; // (capacity)
  private final float[] scales; // (capacity / groupSize)
  private final float[] minimums; // (capacity / groupSize), zeros for types without minimums
  private int count;

  /** Allocates room for {@code capacity} elements, whole blocks. */
  public QuantizedRun(DType dtype, int capacity) {
    this.dtype = dtype;
    this.raw = new byte[(int) dtype.byteSize(capacity)];
    this.codes = new byte[capacity];
    this.scales = new float[capacity / dtype.groupSize()];
    this.minimums = new float[capacity / dtype.groupSize()];
  }

  /** The codes, signed if the type has no minimum. */
  public byte[] codes() {
    return codes;
  }

  /** The scales of the groups. */
  public float[] scales() {
    return scales;
  }

  /** The minimums of the groups. */
  public float[] minimums() {
    return minimums;
  }

  /** Reads {@code count} elements from {@code from} on; both are whole blocks. */
  public void read(Tensor tensor, long from, int count) {
    if (tensor.dtype() != dtype
        || from % dtype.blockSize() != 0
        || count % dtype.blockSize() != 0) {
      throw new IllegalArgumentException(
          "elements %d to %d of %s in blocks of %s".formatted(from, from + count, tensor, dtype));
    }
    this.count = count;
    int blocks = count / dtype.blockSize();
    MemorySegment.copy(
        tensor.data(),
        ValueLayout.JAVA_BYTE,
        dtype.byteSize(from),
        raw,
        0,
        (int) dtype.byteSize(count));
    for (int block = 0; block < blocks; block++) {
      decode(block * dtype.blockBytes(), block * dtype.blockSize());
    }
  }

  /** Copies the elements as floats. */
  public void copyTo(float[] target, int at) {
    int size = dtype.groupSize();
    for (int group = 0; group * size < count; group++) {
      float scale = scales[group];
      float minimum = minimums[group];
      for (int i = group * size; i < (group + 1) * size; i++) {
        target[at + i] = Math.fma(codes[i], scale, minimum);
      }
    }
  }

  /** Decodes the block at {@code raw[block]}, laid out as in llama.cpp's ggml-common.h. */
  private void decode(int block, int to) {
    int group = to / dtype.groupSize();
    switch (dtype) {
      case Q8_0 -> {
        scales[group] = fp16(block);
        System.arraycopy(raw, block + 2, codes, to, 32);
      }
      case Q4_0 -> {
        scales[group] = fp16(block);
        nibbles(block + 2, 16, to, 8);
      }
      case Q4_1 -> {
        scales[group] = fp16(block);
        minimums[group] = fp16(block + 2);
        nibbles(block + 4, 16, to, 0);
      }
      case Q5_0 -> {
        scales[group] = fp16(block);
        nibbles(block + 6, 16, to, 16);
        fifthBits(block + 2, to);
      }
      case Q5_1 -> {
        scales[group] = fp16(block);
        minimums[group] = fp16(block + 2);
        nibbles(block + 8, 16, to, 0);
        fifthBits(block + 4, to);
      }
      case Q4_K -> {
        scalesOfK(block, group);
        nibblesOfK(block + 16, to);
      }
      case Q5_K -> {
        scalesOfK(block, group);
        nibblesOfK(block + 48, to);
        fifthBitsOfK(block + 16, to);
      }
      case Q6_K -> sixBits(block, to, group);
      default -> throw new IllegalStateException(dtype + " has no codes");
    }
  }

  /** Low nibbles, then high nibbles, minus {@code zero}. */
  private void nibbles(int from, int bytes, int to, int zero) {
    for (int i = 0; i < bytes; i++) {
      codes[to + i] = (byte) ((raw[from + i] & 0xF) - zero);
      codes[to + bytes + i] = (byte) (((raw[from + i] >> 4) & 0xF) - zero);
    }
  }

  /** 32 bits of value 16 each; the lowest bit is that of the first element. */
  private void fifthBits(int from, int to) {
    for (int i = 0; i < 32; i++) {
      codes[to + i] = (byte) (codes[to + i] + (((raw[from + i / 8] >> (i % 8)) & 1) << 4));
    }
  }

  /** Two fp16 values, then 8 scales and 8 minimums of 6 bits in 12 bytes. */
  private void scalesOfK(int block, int group) {
    float scale = fp16(block);
    float minimum = fp16(block + 2);
    int at = block + 4;
    for (int j = 0; j < 4; j++) {
      scales[group + j] = scale * (raw[at + j] & 63);
      minimums[group + j] = -minimum * (raw[at + 4 + j] & 63);
      int upperScale = (raw[at + j] >> 6) & 3;
      int upperMinimum = (raw[at + 4 + j] >> 6) & 3;
      int lower = raw[at + 8 + j];
      scales[group + 4 + j] = scale * ((lower & 0xF) | (upperScale << 4));
      minimums[group + 4 + j] = -minimum * (((lower >> 4) & 0xF) | (upperMinimum << 4));
    }
  }

  /** Four times 32 low nibbles and the 32 high nibbles of the same bytes. */
  private void nibblesOfK(int from, int to) {
    for (int chunk = 0; chunk < 4; chunk++) {
      nibbles(from + chunk * 32, 32, to + chunk * 64, 0);
    }
  }

  /** 32 bytes, of which bit {@code g} belongs to group {@code g}. */
  private void fifthBitsOfK(int from, int to) {
    for (int i = 0; i < 256; i++) {
      codes[to + i] = (byte) (codes[to + i] + (((raw[from + i % 32] >> (i / 32)) & 1) << 4));
    }
  }

  /** 128 bytes of low nibbles, 64 bytes of upper pairs of bits, 16 signed scales, an fp16 value. */
  private void sixBits(int block, int to, int group) {
    for (int i = 0; i < 256; i++) {
      int half = i / 128;
      int quarter = i % 128 / 32;
      int low = raw[block + half * 64 + quarter % 2 * 32 + i % 32] >> (quarter / 2 * 4);
      int high = raw[block + 128 + half * 32 + i % 32] >> (2 * quarter);
      codes[to + i] = (byte) (((low & 0xF) | ((high & 3) << 4)) - 32);
    }
    float scale = fp16(block + 208);
    for (int g = 0; g < 16; g++) {
      scales[group + g] = scale * raw[block + 192 + g];
    }
  }

  private float fp16(int at) {
    return Float.float16ToFloat((short) ((raw[at] & 0xFF) | (raw[at + 1] << 8)));
  }
}

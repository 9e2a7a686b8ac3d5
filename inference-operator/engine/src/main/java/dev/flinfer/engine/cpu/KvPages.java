package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.Lanes.SPECIES;
import static dev.flinfer.engine.device.ForwardPass.BLOCK_SIZE;

import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.model.PhiConfig;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/**
 * The blocks of keys and values, outside the Java heap, in one of three types. A page is the part
 * of a block that belongs to one head in one layer; it is always read as a whole, in floats.
 *
 * <p>Keys are stored position by position within a dimension, so that the lanes of a vector are
 * positions; values dimension by dimension within a position, so that the lanes are dimensions. A
 * token's vector is rounded by itself when it is written, so that what is read does not depend on
 * when the other positions of its block were computed.
 */
final class KvPages {
  /** Dimensions that share a scale in Q8_0, as in llama.cpp. */
  private static final int GROUP = 32;

  private static final float LARGEST_INT8 = 127;

  private final KvCacheType type;
  private final int blocks;
  private final int heads;
  private final int headDim;
  private final int paddedDim;
  private final int groups; // of dimensions
  private final MemorySegment keys; // (num_layers, blocks, num_heads, head_dim, 16)
  private final MemorySegment values; // (num_layers, blocks, num_heads, 16, padded head_dim)
  private final MemorySegment keyScales; // Q8_0: (num_layers, blocks, num_heads, groups, 16) f32
  private final MemorySegment valueScales; // Q8_0: (num_layers, blocks, num_heads, 16, groups) f32
  private final ThreadLocal<Raw> raw = ThreadLocal.withInitial(() -> new Raw());

  KvPages(PhiConfig config, KvCacheType type, int blocks, Arena arena) {
    this.type = type;
    this.blocks = blocks;
    this.heads = config.numAttentionHeads();
    this.headDim = config.headDim();
    this.paddedDim = paddedDim(config);
    this.groups = groups(config);
    long pages = (long) config.numHiddenLayers() * blocks * heads;
    this.keys =
        NativeMemory.allocate(arena, pages * BLOCK_SIZE * headDim * type.bytes(), "KV cache");
    this.values =
        NativeMemory.allocate(arena, pages * BLOCK_SIZE * paddedDim * type.bytes(), "KV cache");
    long scales = type == KvCacheType.Q8_0 ? pages * BLOCK_SIZE * groups * Float.BYTES : 0;
    this.keyScales = NativeMemory.allocate(arena, scales, "KV cache");
    this.valueScales = NativeMemory.allocate(arena, scales, "KV cache");
  }

  /** Head dimensions in whole vectors: the length of a position's values in a page. */
  static int paddedDim(PhiConfig config) {
    return Lanes.roundUp(config.headDim(), 16);
  }

  private static int groups(PhiConfig config) {
    return Lanes.roundUp(config.headDim(), GROUP) / GROUP;
  }

  /** Bytes of one block's keys and values in all layers. */
  static long blockBytes(PhiConfig config, KvCacheType type) {
    long dims = (long) config.headDim() + paddedDim(config);
    long scales = type == KvCacheType.Q8_0 ? 2L * groups(config) * Float.BYTES : 0;
    long position = dims * type.bytes() + scales;
    return position * BLOCK_SIZE * config.numAttentionHeads() * config.numHiddenLayers();
  }

  private long page(int layer, int block, int head) {
    return ((long) layer * blocks + block) * heads + head;
  }

  /** Stores a token's keys and values, each (num_heads, head_dim), at its position of a block. */
  void write(int layer, int block, int position, float[] row, int keysAt, int valuesAt) {
    int slot = position % BLOCK_SIZE;
    for (int head = 0; head < heads; head++) {
      long page = page(layer, block, head);
      for (int group = 0; group < groups; group++) {
        int from = group * GROUP;
        int to = Math.min(from + GROUP, headDim);
        int k = keysAt + head * headDim;
        int v = valuesAt + head * headDim;
        float keyScale = 1;
        float valueScale = 1;
        if (type == KvCacheType.Q8_0) {
          keyScale = scale(row, k + from, k + to);
          valueScale = scale(row, v + from, v + to);
          keyScales.setAtIndex(
              ValueLayout.JAVA_FLOAT, (page * groups + group) * BLOCK_SIZE + slot, keyScale);
          valueScales.setAtIndex(
              ValueLayout.JAVA_FLOAT, (page * BLOCK_SIZE + slot) * groups + group, valueScale);
        }
        for (int d = from; d < to; d++) {
          store(keys, (page * headDim + d) * BLOCK_SIZE + slot, row[k + d], keyScale);
          store(values, (page * BLOCK_SIZE + slot) * paddedDim + d, row[v + d], valueScale);
        }
      }
    }
  }

  private static float scale(float[] row, int from, int to) {
    float largest = 0;
    for (int i = from; i < to; i++) {
      largest = Math.max(largest, Math.abs(row[i]));
    }
    return largest / LARGEST_INT8;
  }

  private void store(MemorySegment segment, long index, float value, float scale) {
    switch (type) {
      case F32 -> segment.setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
      case F16 -> segment.setAtIndex(ValueLayout.JAVA_SHORT, index, Float.floatToFloat16(value));
      case Q8_0 ->
          segment.set(
              ValueLayout.JAVA_BYTE, index, (byte) (scale == 0 ? 0 : Math.round(value / scale)));
    }
  }

  /** A page of keys, (head_dim, 16). */
  void keys(int layer, int block, int head, float[] out) {
    long page = page(layer, block, head);
    read(keys, page * headDim * BLOCK_SIZE, headDim * BLOCK_SIZE, out);
    if (type == KvCacheType.Q8_0) {
      Raw own = raw.get();
      scales(keyScales, page, own.scales);
      for (int d = 0; d < headDim; d++) {
        int group = d / GROUP * BLOCK_SIZE;
        for (int slot = 0; slot < BLOCK_SIZE; slot += COUNT) {
          int at = d * BLOCK_SIZE + slot;
          FloatVector scale = FloatVector.fromArray(SPECIES, own.scales, group + slot);
          codes(own.bytes, at).mul(scale).intoArray(out, at);
        }
      }
    }
  }

  /** The first {@code positions} of a page of values, (positions, padded head_dim). */
  void values(int layer, int block, int head, int positions, float[] out) {
    long page = page(layer, block, head);
    read(values, page * BLOCK_SIZE * paddedDim, positions * paddedDim, out);
    if (type == KvCacheType.Q8_0) {
      Raw own = raw.get();
      scales(valueScales, page, own.scales);
      for (int position = 0; position < positions; position++) {
        for (int d = 0; d < paddedDim; d += COUNT) {
          int at = position * paddedDim + d;
          float scale = own.scales[position * groups + d / GROUP];
          codes(own.bytes, at).mul(scale).intoArray(out, at);
        }
      }
    }
  }

  private void scales(MemorySegment from, long page, float[] out) {
    int count = groups * BLOCK_SIZE;
    MemorySegment.copy(from, ValueLayout.JAVA_FLOAT, page * count * Float.BYTES, out, 0, count);
  }

  private static FloatVector codes(byte[] bytes, int at) {
    return (FloatVector)
        ByteVector.fromArray(Lanes.BYTES, bytes, at).convertShape(VectorOperators.B2F, SPECIES, 0);
  }

  /** Copies the stored page to {@code out}, or its codes to the bytes of {@link Raw}. */
  private void read(MemorySegment from, long index, int count, float[] out) {
    switch (type) {
      case F32 ->
          MemorySegment.copy(from, ValueLayout.JAVA_FLOAT, index * Float.BYTES, out, 0, count);
      case F16 -> {
        // Copied first, because C2 vectorizes the widening of an array but not of a segment.
        short[] bits = raw.get().bits;
        MemorySegment.copy(from, ValueLayout.JAVA_SHORT, index * Short.BYTES, bits, 0, count);
        for (int i = 0; i < count; i++) {
          out[i] = Float.float16ToFloat(bits[i]);
        }
      }
      case Q8_0 ->
          MemorySegment.copy(from, ValueLayout.JAVA_BYTE, index, raw.get().bytes, 0, count);
    }
  }

  /** Scratch space of one thread for a page as it is stored. */
  private final class Raw {
    final short[] bits = new short[BLOCK_SIZE * paddedDim];
    final byte[] bytes = new byte[BLOCK_SIZE * paddedDim + Lanes.BYTES.length()];
    final float[] scales = new float[BLOCK_SIZE * groups];
  }
}

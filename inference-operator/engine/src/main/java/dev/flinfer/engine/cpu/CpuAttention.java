package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.ForwardPass.BLOCK_SIZE;
import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.Lanes.SPECIES;

import dev.flinfer.engine.model.PhiConfig;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;

/**
 * The paged KV cache and the attention over it, in fp32.
 *
 * <p>Keys of a block lie position by position within a dimension, so that the lanes of a vector are
 * positions and a score is one chain over the dimensions; values lie the other way round, so that
 * the lanes are dimensions and an output is one chain over the positions.
 */
final class CpuAttention {
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  private final int blocks;
  private final int heads;
  private final int headDim;
  private final int paddedDim;
  private final float scale;
  private final MemorySegment keys; // (num_layers, blocks, num_heads, head_dim, 16) f32
  private final MemorySegment values; // (num_layers, blocks, num_heads, 16, padded head_dim) f32
  private final ThreadLocal<float[]> scores; // (max_position_embeddings in whole blocks)
  private final ThreadLocal<float[]> sums; // (padded head_dim)

  CpuAttention(PhiConfig config, int blocks, Arena arena) {
    this.blocks = blocks;
    this.heads = config.numAttentionHeads();
    this.headDim = config.headDim();
    this.paddedDim = paddedDim(config);
    this.scale = (float) (1 / Math.sqrt(headDim));
    long perHead = (long) config.numHiddenLayers() * blocks * heads * BLOCK_SIZE * Float.BYTES;
    this.keys = arena.allocate(perHead * headDim, 64);
    this.values = arena.allocate(perHead * paddedDim, 64);
    int longest = Lanes.roundUp(config.maxPositionEmbeddings(), BLOCK_SIZE);
    this.scores = ThreadLocal.withInitial(() -> new float[longest]);
    this.sums = ThreadLocal.withInitial(() -> new float[paddedDim]);
  }

  private static int paddedDim(PhiConfig config) {
    return Lanes.roundUp(config.headDim(), 16);
  }

  /** Bytes of one block's keys and values in all layers. */
  static long blockBytes(PhiConfig config) {
    long dims = (long) config.headDim() + paddedDim(config);
    return dims * BLOCK_SIZE * config.numAttentionHeads() * config.numHiddenLayers() * Float.BYTES;
  }

  /** Stores a row's keys and values, each (num_heads, head_dim), at a position of its block. */
  void write(int layer, int block, int position, float[] row, int keysAt, int valuesAt) {
    int slot = position % BLOCK_SIZE;
    for (int head = 0; head < heads; head++) {
      long k = head(layer, block, head) * headDim * BLOCK_SIZE + slot;
      for (int d = 0; d < headDim; d++) {
        keys.setAtIndex(
            ValueLayout.JAVA_FLOAT, k + (long) d * BLOCK_SIZE, row[keysAt + head * headDim + d]);
      }
      long v = (head(layer, block, head) * BLOCK_SIZE + slot) * paddedDim * Float.BYTES;
      MemorySegment.copy(
          row, valuesAt + head * headDim, values, ValueLayout.JAVA_FLOAT, v, headDim);
    }
  }

  /** Index of a head's part of a block, in heads. */
  private long head(int layer, int block, int head) {
    return ((long) layer * blocks + block) * heads + head;
  }

  /**
   * What one head of one row sees at its position and before.
   *
   * @param table blocks of the row's sequence
   * @param query (head_dim) from {@code queryAt} on
   * @param out (head_dim) from {@code outAt} on
   */
  void attend(
      int layer,
      int head,
      int[] table,
      int position,
      float[] query,
      int queryAt,
      float[] out,
      int outAt) {
    float[] weights = scores.get();
    int length = Lanes.roundUp(position + 1, BLOCK_SIZE);
    for (int b = 0; b * BLOCK_SIZE < length; b++) {
      long at = head(layer, table[b], head) * headDim * BLOCK_SIZE * Float.BYTES;
      for (int lane = 0; lane < BLOCK_SIZE; lane += COUNT) {
        score(at + (long) lane * Float.BYTES, query, queryAt, weights, b * BLOCK_SIZE + lane);
      }
    }
    float max = Float.NEGATIVE_INFINITY;
    for (int j = 0; j <= position; j++) {
      max = Math.max(max, weights[j]);
    }
    Elementwise.exp(weights, 0, length, max);
    double total = 0;
    for (int j = 0; j <= position; j++) {
      total += weights[j];
    }
    float[] sum = sums.get();
    for (int d = 0; d < paddedDim; d += COUNT) {
      weigh(layer, head, table, position, weights, d, sum);
    }
    float normalise = (float) (1 / total);
    for (int d = 0; d < headDim; d++) {
      out[outAt + d] = sum[d] * normalise;
    }
  }

  /** The scores of the positions from {@code at} on, a vector of them. */
  private void score(long at, float[] query, int queryAt, float[] result, int resultAt) {
    FloatVector sum = FloatVector.zero(SPECIES);
    for (int d = 0; d < headDim; d++) {
      FloatVector key =
          FloatVector.fromMemorySegment(
              SPECIES, keys, at + (long) d * BLOCK_SIZE * Float.BYTES, ORDER);
      sum = FloatVector.broadcast(SPECIES, query[queryAt + d]).fma(key, sum);
    }
    sum.mul(scale).intoArray(result, resultAt);
  }

  /** The weighted sum of the values' dimensions from {@code d} on, a vector of them. */
  private void weigh(
      int layer, int head, int[] table, int position, float[] weights, int d, float[] result) {
    FloatVector sum = FloatVector.zero(SPECIES);
    for (int b = 0; b * BLOCK_SIZE <= position; b++) {
      long at = (head(layer, table[b], head) * BLOCK_SIZE * paddedDim + d) * Float.BYTES;
      int count = Math.min(BLOCK_SIZE, position + 1 - b * BLOCK_SIZE);
      for (int j = 0; j < count; j++) {
        FloatVector value =
            FloatVector.fromMemorySegment(
                SPECIES, values, at + (long) j * paddedDim * Float.BYTES, ORDER);
        sum = FloatVector.broadcast(SPECIES, weights[b * BLOCK_SIZE + j]).fma(value, sum);
      }
    }
    sum.intoArray(result, d);
  }
}

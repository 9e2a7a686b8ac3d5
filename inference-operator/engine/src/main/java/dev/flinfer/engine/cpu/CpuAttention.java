package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.Lanes.SPECIES;
import static dev.flinfer.engine.device.ForwardPass.BLOCK_SIZE;

import dev.flinfer.engine.model.PhiConfig;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/**
 * Attention of one head over the pages of a sequence, in fp32. A score is summed over the
 * dimensions of a head in order, an output over the positions in order.
 */
final class CpuAttention {
  private final KvPages pages;
  private final int headDim;
  private final int paddedDim;
  private final float scale;
  private final ThreadLocal<Scratch> scratch;

  CpuAttention(PhiConfig config, KvPages pages) {
    this.pages = pages;
    this.headDim = config.headDim();
    this.paddedDim = KvPages.paddedDim(config);
    this.scale = (float) (1 / Math.sqrt(headDim));
    int longest = Lanes.roundUp(config.maxPositionEmbeddings(), BLOCK_SIZE);
    this.scratch =
        ThreadLocal.withInitial(
            () ->
                new Scratch(
                    new float[longest], new float[BLOCK_SIZE * paddedDim], new float[paddedDim]));
  }

  /**
   * Scratch space of one thread.
   *
   * @param weights (positions in whole blocks) scores, then weights
   * @param page (16 * padded head_dim)
   * @param sum (padded head_dim)
   */
  private record Scratch(float[] weights, float[] page, float[] sum) {}

  /**
   * Computes what one head of one row attends to: its position and those before.
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
    Scratch own = scratch.get();
    float[] weights = own.weights();
    int length = Lanes.roundUp(position + 1, BLOCK_SIZE);
    for (int b = 0; b * BLOCK_SIZE < length; b++) {
      pages.keys(layer, table[b], head, own.page());
      for (int lane = 0; lane < BLOCK_SIZE; lane += COUNT) {
        score(own.page(), lane, query, queryAt, weights, b * BLOCK_SIZE + lane);
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
    float[] sum = own.sum();
    Arrays.fill(sum, 0);
    for (int b = 0; b * BLOCK_SIZE <= position; b++) {
      int count = Math.min(BLOCK_SIZE, position + 1 - b * BLOCK_SIZE);
      pages.values(layer, table[b], head, count, own.page());
      for (int d = 0; d < paddedDim; d += COUNT) {
        weigh(own.page(), d, weights, b * BLOCK_SIZE, count, sum);
      }
    }
    float normalise = (float) (1 / total);
    for (int d = 0; d < headDim; d++) {
      out[outAt + d] = sum[d] * normalise;
    }
  }

  /** The scores of the positions from {@code lane} on of a page, a vector of them. */
  private void score(
      float[] page, int lane, float[] query, int queryAt, float[] result, int resultAt) {
    FloatVector sum = FloatVector.zero(SPECIES);
    for (int d = 0; d < headDim; d++) {
      FloatVector key = FloatVector.fromArray(SPECIES, page, d * BLOCK_SIZE + lane);
      sum = FloatVector.broadcast(SPECIES, query[queryAt + d]).fma(key, sum);
    }
    sum.mul(scale).intoArray(result, resultAt);
  }

  /** Adds a page's weighted values in the dimensions from {@code d} on, a vector of them. */
  private void weigh(float[] page, int d, float[] weights, int at, int count, float[] result) {
    FloatVector sum = FloatVector.fromArray(SPECIES, result, d);
    for (int j = 0; j < count; j++) {
      FloatVector value = FloatVector.fromArray(SPECIES, page, j * paddedDim + d);
      sum = FloatVector.broadcast(SPECIES, weights[at + j]).fma(value, sum);
    }
    sum.intoArray(result, d);
  }
}

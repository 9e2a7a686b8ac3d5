package dev.flinfer.tornado;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Attention over block tables. A context is cut into splits of {@link Shape#SPLIT} positions, a
 * work-group a split, head and row, so that one long sequence fills a GPU; a second kernel puts the
 * splits together (flash-decoding, Dao and others 2023). Where a split begins depends on nothing
 * but the position, so a row's sums are the same in any batch. Scores are fp32: Phi-2's overflow
 * fp16.
 */
final class AttentionKernel {
  /** Threads of a work-group. */
  static final int THREADS = 64;

  private AttentionKernel() {}

  /**
   * One split: groups are (heads, splits, rows).
   *
   * @param query (rows, num_heads * head_dim)
   * @param keys (num_layers, kvBlocks, num_heads, head_dim, 16)
   * @param values (num_layers, kvBlocks, num_heads, 16, head_dim)
   * @param partial (rows, num_heads, maxSplits, head_dim): values weighted by {@code exp(score -
   *     largest score of the split)}
   * @param stats (rows, num_heads, maxSplits, 2): the largest score, the sum of the weights
   */
  static void attend(
      KernelContext context,
      IntArray control,
      IntArray layer,
      FloatArray query,
      FloatArray keys,
      FloatArray values,
      FloatArray partial,
      FloatArray stats,
      int maxRows,
      int maxSplits,
      int kvBlocks,
      int heads,
      int headDim,
      float scale) {
    float[] weights = context.allocateFloatLocalArray(Shape.SPLIT);
    float[] reduced = context.allocateFloatLocalArray(THREADS);
    int lane = context.localIdx;
    int head = context.groupIdx;
    int split = context.groupIdy;
    int row = context.groupIdz;
    int length = 0; // positions of this split that the row sees
    if (row < control.get(StepControl.ROWS)) {
      length = control.get(StepControl.TOKENS + maxRows + row) + 1 - split * Shape.SPLIT;
    }
    if (length > 0) {
      length = TornadoMath.min(length, Shape.SPLIT);
      int table = control.get(StepControl.TOKENS + 2 * maxRows + row) + split * (Shape.SPLIT / 16);
      int base = layer.get(0) * kvBlocks;
      int queryAt = (row * heads + head) * headDim;
      float largest = Float.NEGATIVE_INFINITY;
      for (int j = lane; j < length; j += THREADS) {
        int page = ((base + control.get(table + j / 16)) * heads + head) * headDim * 16 + j % 16;
        float score = 0;
        for (int d = 0; d < headDim; d++) {
          score += query.get(queryAt + d) * keys.get(page + d * 16);
        }
        weights[j] = score * scale;
        largest = TornadoMath.max(largest, score * scale);
      }
      reduced[lane] = largest;
      context.localBarrier();
      for (int i = 0; i < THREADS; i++) {
        largest = TornadoMath.max(largest, reduced[i]);
      }
      context.localBarrier();
      float sum = 0;
      for (int j = lane; j < length; j += THREADS) {
        float weight = TornadoMath.exp(weights[j] - largest);
        weights[j] = weight;
        sum += weight;
      }
      reduced[lane] = sum;
      context.localBarrier();
      int part = (row * heads + head) * maxSplits + split;
      if (lane == 0) {
        float total = 0;
        for (int i = 0; i < THREADS; i++) {
          total += reduced[i];
        }
        stats.set(part * 2, largest);
        stats.set(part * 2 + 1, total);
      }
      for (int d = lane; d < headDim; d += THREADS) {
        float value = 0;
        for (int j = 0; j < length; j++) {
          int page = ((base + control.get(table + j / 16)) * heads + head) * headDim * 16;
          value += weights[j] * values.get(page + j % 16 * headDim + d);
        }
        partial.set(part * headDim + d, value);
      }
    }
  }

  /**
   * Puts the splits of a row together, in their order; a thread an output. Also counts the layer
   * up, see {@link EmbedKernel}.
   *
   * @param mixed (rows, attention | activation), each padded; the attention is written
   */
  static void combine(
      KernelContext context,
      IntArray control,
      IntArray layer,
      FloatArray partial,
      FloatArray stats,
      FloatArray mixed,
      int maxRows,
      int maxSplits,
      int width,
      int headDim,
      int mixedStride) {
    int i = context.globalIdx;
    int row = context.globalIdy;
    if (i == 0 && row == 0) {
      layer.set(1, layer.get(0) + 1);
    }
    if (row < control.get(StepControl.ROWS) && i < width) {
      int splits = control.get(StepControl.TOKENS + maxRows + row) / Shape.SPLIT + 1;
      int part = (row * (width / headDim) + i / headDim) * maxSplits;
      float largest = stats.get(part * 2);
      for (int s = 1; s < splits; s++) {
        largest = TornadoMath.max(largest, stats.get((part + s) * 2));
      }
      float total = 0;
      float value = 0;
      for (int s = 0; s < splits; s++) {
        float factor = TornadoMath.exp(stats.get((part + s) * 2) - largest);
        total += factor * stats.get((part + s) * 2 + 1);
        value += factor * partial.get((part + s) * headDim + i % headDim);
      }
      mixed.set(row * mixedStride + i, value / total);
    }
  }
}

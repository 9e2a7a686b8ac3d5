package dev.flinfer.tornado;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Attention over block tables. A context is divided into splits of {@link Shape#SPLIT} positions,
 * with one work-group per split, head and row, so that one long sequence fills a GPU; a second
 * kernel combines the splits (flash-decoding, Dao and others 2023). The bounds of a split depend
 * only on the position, so a row's sums are the same in any batch. Scores are fp32: Phi-2's
 * overflow fp16.
 */
final class AttentionKernel {
  /** Threads of a work-group. */
  static final int THREADS = 256;

  private AttentionKernel() {}

  /**
   * Computes one split; groups are (heads, splits, rows).
   *
   * @param query (rows, num_heads * head_dim)
   * @param keys (num_layers, kvBlocks, num_heads, head_dim, 16), as {@code halfKeys}
   * @param values (num_layers, kvBlocks, num_heads, 16, head_dim), as {@code halfValues}
   * @param partial (rows, num_heads, maxSplits, head_dim): values weighted by {@code exp(score -
   *     largest score of the split)}
   * @param stats (rows, num_heads, maxSplits, 2): the largest score, the sum of the weights
   * @param inHalf 1 if keys and values are in the fp16 arrays, otherwise 0
   */
  static void attend(
      KernelContext context,
      IntArray control,
      IntArray layer,
      FloatArray query,
      FloatArray keys,
      HalfFloatArray halfKeys,
      FloatArray values,
      HalfFloatArray halfValues,
      FloatArray partial,
      FloatArray stats,
      int maxRows,
      int maxSplits,
      int kvBlocks,
      int heads,
      int headDim,
      int inHalf,
      float scale) {
    float[] weights = context.allocateFloatLocalArray(Shape.SPLIT);
    int[] pages = context.allocateIntLocalArray(Shape.SPLIT); // start of each position's page
    float[] reduced = context.allocateFloatLocalArray(THREADS);
    int lane = context.localIdx;
    int head = context.groupIdx;
    int split = context.groupIdy;
    int row = context.groupIdz;
    int length = 0; // positions of this split that the row attends to
    if (row < control.get(StepControl.ROWS)) {
      length = control.get(StepControl.TOKENS + maxRows + row) + 1 - split * Shape.SPLIT;
    }
    if (length > 0) {
      length = TornadoMath.min(length, Shape.SPLIT);
      int table = control.get(StepControl.TOKENS + 2 * maxRows + row) + split * (Shape.SPLIT / 16);
      int base = layer.get(0) * kvBlocks;
      int queryAt = (row * heads + head) * headDim;
      float score = Float.NEGATIVE_INFINITY;
      if (lane < length) { // as many threads as positions
        int page = ((base + control.get(table + lane / 16)) * heads + head) * headDim * 16;
        pages[lane] = page;
        score = scale * dot(query, queryAt, keys, halfKeys, inHalf, page + lane % 16, headDim);
      }
      reduced[lane] = score;
      context.localBarrier();
      float largest = score;
      for (int i = 0; i < length; i++) {
        largest = TornadoMath.max(largest, reduced[i]);
      }
      float weight = 0;
      if (lane < length) {
        weight = TornadoMath.exp(score - largest);
      }
      weights[lane] = weight;
      context.localBarrier();
      int part = (row * heads + head) * maxSplits + split;
      if (lane == 0) {
        float total = 0;
        for (int i = 0; i < length; i++) {
          total += weights[i];
        }
        stats.set(part * 2, largest);
        stats.set(part * 2 + 1, total);
      }
      // Each dimension has `slices` threads; each takes every slices-th position.
      int slices = THREADS / headDim;
      int d = lane % headDim;
      int slice = lane / headDim;
      float value = 0;
      if (slice < slices) {
        for (int j = slice; j < length; j += slices) {
          value +=
              weights[j]
                  * FloatOrHalfArray.get(
                      values, halfValues, inHalf, pages[j] + j % 16 * headDim + d);
        }
      }
      reduced[lane] = value;
      context.localBarrier();
      if (lane < headDim) {
        float sum = 0;
        for (int i = 0; i < slices; i++) {
          sum += reduced[i * headDim + lane];
        }
        partial.set(part * headDim + lane, sum);
      }
    }
  }

  /** Eight products at a time, so that their loads are pending together; one summation order. */
  private static float dot(
      FloatArray query,
      int queryAt,
      FloatArray keys,
      HalfFloatArray halfKeys,
      int inHalf,
      int at,
      int headDim) {
    float sum = 0;
    int d = 0;
    for (; d + 8 <= headDim; d += 8) {
      int q = queryAt + d;
      int k = at + d * 16;
      float a = FloatOrHalfArray.get(keys, halfKeys, inHalf, k);
      float b = FloatOrHalfArray.get(keys, halfKeys, inHalf, k + 16);
      float c = FloatOrHalfArray.get(keys, halfKeys, inHalf, k + 32);
      float e = FloatOrHalfArray.get(keys, halfKeys, inHalf, k + 48);
      float f = FloatOrHalfArray.get(keys, halfKeys, inHalf, k + 64);
      float g = FloatOrHalfArray.get(keys, halfKeys, inHalf, k + 80);
      float h = FloatOrHalfArray.get(keys, halfKeys, inHalf, k + 96);
      float i = FloatOrHalfArray.get(keys, halfKeys, inHalf, k + 112);
      sum += query.get(q) * a;
      sum += query.get(q + 1) * b;
      sum += query.get(q + 2) * c;
      sum += query.get(q + 3) * e;
      sum += query.get(q + 4) * f;
      sum += query.get(q + 5) * g;
      sum += query.get(q + 6) * h;
      sum += query.get(q + 7) * i;
    }
    for (; d < headDim; d++) {
      sum += query.get(queryAt + d) * FloatOrHalfArray.get(keys, halfKeys, inHalf, at + d * 16);
    }
    return sum;
  }

  /**
   * Combines the splits of a row in their order; one thread per output. Also increments the layer,
   * see {@link EmbedKernel}.
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

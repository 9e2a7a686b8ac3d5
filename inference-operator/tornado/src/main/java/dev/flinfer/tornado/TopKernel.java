package dev.flinfer.tornado;

import dev.flinfer.engine.device.TopLogits;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Finds the most likely tokens of each row of logits, so that rows need not leave the device; one
 * work-group per row. It scans the row once for each requested token, usually one, and takes the
 * best of those that rank after the previous one: by descending logit, ties by ascending id. One
 * more scan computes the sum that log-probabilities need, in a fixed order.
 */
final class TopKernel {
  /** Threads of a work-group. */
  static final int THREADS = 128;

  private static final int MOST = TopLogits.MOST;

  /** Floats per row: ids as floats, which are exact up to 2^24, logits, the sum of exps. */
  static final int WIDTH = 2 * MOST + 1;

  private TopKernel() {}

  /**
   * @param wanted the number of rows, and from {@code countsAt} the number of tokens of each
   * @param logits (rows, stride)
   * @param top (rows, ids: 20 | logits: 20 | sum); the id is {@code vocab} if all logits are NaN
   */
  static void topTokens(
      KernelContext context,
      IntArray wanted,
      FloatArray logits,
      FloatArray top,
      int countsAt,
      int vocab,
      int stride) {
    float[] values = context.allocateFloatLocalArray(THREADS);
    int[] ids = context.allocateIntLocalArray(THREADS);
    int lane = context.localIdx;
    int row = context.groupIdx;
    int count = 0;
    if (row < wanted.get(StepControl.ROWS)) {
      count = wanted.get(countsAt + row);
    }
    int rowAt = row * stride;
    int topAt = row * WIDTH;
    float lastValue = Float.MAX_VALUE;
    int lastId = -1;
    float largest = 0;
    for (int n = 0; n < count; n++) {
      float value = -Float.MAX_VALUE;
      int id = vocab;
      for (int i = lane; i < vocab; i += THREADS) {
        float candidate = logits.get(rowAt + i);
        // One condition per branch: TornadoVM 5.2.0 turns `a || (b && c)` into `a || !b && !c`.
        if (candidate > value) {
          if (candidate < lastValue) {
            value = candidate;
            id = i;
          } else if (candidate == lastValue) {
            if (i > lastId) {
              value = candidate;
              id = i;
            }
          }
        }
      }
      values[lane] = value;
      ids[lane] = id;
      context.localBarrier();
      for (int i = 0; i < THREADS; i++) {
        float other = values[i];
        int otherId = ids[i];
        if (other > value) {
          value = other;
          id = otherId;
        } else if (other == value) {
          id = TornadoMath.min(id, otherId);
        }
      }
      context.localBarrier();
      if (lane == 0) {
        top.set(topAt + n, id);
        top.set(topAt + MOST + n, value);
      }
      if (n == 0) {
        largest = value;
      }
      lastValue = value;
      lastId = id;
    }
    if (count > 0) {
      float sum = 0;
      for (int i = lane; i < vocab; i += THREADS) {
        sum += TornadoMath.exp(logits.get(rowAt + i) - largest);
      }
      values[lane] = sum;
      context.localBarrier();
      if (lane == 0) {
        float total = 0;
        for (int i = 0; i < THREADS; i++) {
          total += values[i];
        }
        top.set(topAt + 2 * MOST, total);
      }
    }
  }
}

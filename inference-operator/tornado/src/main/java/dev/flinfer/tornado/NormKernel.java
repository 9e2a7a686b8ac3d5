package dev.flinfer.tornado;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Layer norm, one work-group per row. Each thread adds up every 64th element, then all threads add
 * the 64 sums in the same order.
 */
final class NormKernel {
  /** Threads of a work-group. */
  static final int THREADS = 64;

  private NormKernel() {}

  /**
   * Normalizes the input of a layer or of the output. Also makes the next layer the current one,
   * see {@link EmbedKernel}.
   *
   * @param control the number of rows and, if they are gathered, the rows of {@code x} in the place
   *     where a step has its tokens
   * @param x (rows, stride), like {@code y}
   * @param weight (num_layers, width), like {@code bias}
   * @param gathered 1 if row {@code r} of {@code y} is computed from the row of {@code x} that
   *     {@code control} names, 0 if from row {@code r}
   */
  static void layerNorm(
      KernelContext context,
      IntArray control,
      IntArray layer,
      FloatArray x,
      FloatArray weight,
      FloatArray bias,
      FloatArray y,
      int gathered,
      int width,
      int stride,
      float eps) {
    float[] sums = context.allocateFloatLocalArray(THREADS);
    int lane = context.localIdx;
    int row = context.groupIdx;
    int weightAt = layer.get(1) * width;
    if (context.globalIdx == 0) {
      layer.set(0, layer.get(1));
    }
    if (row < control.get(StepControl.ROWS)) {
      // Not a branch: TornadoVM fails on a branch whose condition it folds late.
      int from = row + gathered * (control.get(StepControl.TOKENS + row) - row);
      int xAt = from * stride;
      float sum = 0;
      for (int i = lane; i < width; i += THREADS) {
        sum += x.get(xAt + i);
      }
      sums[lane] = sum;
      context.localBarrier();
      float total = 0;
      for (int i = 0; i < THREADS; i++) {
        total += sums[i];
      }
      float mean = total / width;
      context.localBarrier();
      float square = 0;
      for (int i = lane; i < width; i += THREADS) {
        float d = x.get(xAt + i) - mean;
        square += d * d;
      }
      sums[lane] = square;
      context.localBarrier();
      float squares = 0;
      for (int i = 0; i < THREADS; i++) {
        squares += sums[i];
      }
      float scale = 1 / TornadoMath.sqrt(squares / width + eps);
      for (int i = lane; i < width; i += THREADS) {
        float value = (x.get(xAt + i) - mean) * scale;
        y.set(row * stride + i, value * weight.get(weightAt + i) + bias.get(weightAt + i));
      }
    }
  }
}

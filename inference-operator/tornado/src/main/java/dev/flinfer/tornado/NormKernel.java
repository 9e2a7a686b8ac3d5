package dev.flinfer.tornado;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Layer norm, a work-group a row. Each thread adds up every 64th number, then all threads add the
 * 64 sums in the same order.
 */
final class NormKernel {
  /** Threads of a work-group. */
  static final int THREADS = 64;

  private NormKernel() {}

  /**
   * The norm of a layer.
   *
   * @param weight (num_layers, width), as {@code bias}
   * @param x (rows, stride), as {@code y}
   */
  static void layerNorm(
      KernelContext context,
      IntArray control,
      IntArray layer,
      FloatArray x,
      FloatArray weight,
      FloatArray bias,
      FloatArray y,
      int width,
      int stride,
      float eps) {
    float[] sums = context.allocateFloatLocalArray(THREADS);
    int row = context.groupIdx;
    int at = layer.get(1) * width;
    if (context.globalIdx == 0) {
      layer.set(0, layer.get(1));
    }
    if (row < control.get(StepControl.ROWS)) {
      normalise(context, sums, x, row * stride, weight, bias, at, y, row * stride, width, eps);
    }
  }

  /**
   * The norm before the output, of the rows whose logits are wanted.
   *
   * @param wanted their number and, where a step has its tokens, the rows
   * @param weight (width), as {@code bias}
   * @param y (logit rows, stride)
   */
  static void finalNorm(
      KernelContext context,
      IntArray wanted,
      FloatArray x,
      FloatArray weight,
      FloatArray bias,
      FloatArray y,
      int width,
      int stride,
      float eps) {
    float[] sums = context.allocateFloatLocalArray(THREADS);
    int row = context.groupIdx;
    if (row < wanted.get(StepControl.ROWS)) {
      int from = wanted.get(StepControl.TOKENS + row) * stride;
      normalise(context, sums, x, from, weight, bias, 0, y, row * stride, width, eps);
    }
  }

  private static void normalise(
      KernelContext context,
      float[] sums,
      FloatArray x,
      int xAt,
      FloatArray weight,
      FloatArray bias,
      int weightAt,
      FloatArray y,
      int yAt,
      int width,
      float eps) {
    int lane = context.localIdx;
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
      y.set(yAt + i, value * weight.get(weightAt + i) + bias.get(weightAt + i));
    }
  }
}

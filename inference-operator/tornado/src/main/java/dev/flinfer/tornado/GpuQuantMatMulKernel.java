package dev.flinfer.tornado;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.Int8Array;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * {@link GpuMatMulKernel} for 8-bit weights with a float scale for each 32 inputs (Q8_0).
 *
 * <p>Codes lie in panels: (num_layers, panels, inputs, 32), scales too: (num_layers, panels, inputs
 * / 32, 32).
 */
final class GpuQuantMatMulKernel {
  private static final int SLICES = GpuMatMulKernel.SLICES;
  private static final int THREADS = GpuMatMulKernel.THREADS;

  private GpuQuantMatMulKernel() {}

  /**
   * Groups are (panels, rows / 8).
   *
   * @param rowsAt where the number of rows stands in {@code control}
   * @param layer its cell 0 is the layer
   * @param x (rows, inputs)
   * @param y (rows, outputs)
   * @param add 1 to add to what is in {@code y}, else 0
   */
  static void multiply(
      KernelContext context,
      IntArray control,
      IntArray layer,
      FloatArray x,
      Int8Array codes,
      FloatArray scales,
      FloatArray bias,
      FloatArray y,
      int rowsAt,
      int inputs,
      int outputs,
      int add) {
    float[] sums = context.allocateFloatLocalArray(THREADS * Shape.TILE);
    int lane = context.localIdx % 32;
    int slice = context.localIdx / 32;
    int row = context.groupIdy * Shape.TILE;
    int left = TornadoMath.min(control.get(rowsAt) - row, Shape.TILE);
    int panel = layer.get(0) * (outputs / 32) + context.groupIdx;
    int at = panel * inputs * 32 + lane;
    int scaleAt = panel * inputs + lane;
    int length = (inputs / 32 + SLICES - 1) / SLICES * 32;
    int from = slice * length;
    int to = Math.min(inputs, from + length);
    if (left == 1) {
      // Eight loads are under way together; the order of the sums is that of many rows.
      float a = 0;
      for (int k = from; k < to; k += 8) {
        float scale = scales.get(scaleAt + k / 32 * 32);
        float w0 = scale * codes.get(at + k * 32);
        float w1 = scale * codes.get(at + (k + 1) * 32);
        float w2 = scale * codes.get(at + (k + 2) * 32);
        float w3 = scale * codes.get(at + (k + 3) * 32);
        float w4 = scale * codes.get(at + (k + 4) * 32);
        float w5 = scale * codes.get(at + (k + 5) * 32);
        float w6 = scale * codes.get(at + (k + 6) * 32);
        float w7 = scale * codes.get(at + (k + 7) * 32);
        int xAt = row * inputs + k;
        a = a + x.get(xAt) * w0;
        a = a + x.get(xAt + 1) * w1;
        a = a + x.get(xAt + 2) * w2;
        a = a + x.get(xAt + 3) * w3;
        a = a + x.get(xAt + 4) * w4;
        a = a + x.get(xAt + 5) * w5;
        a = a + x.get(xAt + 6) * w6;
        a = a + x.get(xAt + 7) * w7;
      }
      sums[context.localIdx] = a;
    } else if (left > 1) {
      float[] a = new float[Shape.TILE];
      for (int r = 0; r < Shape.TILE; r++) {
        a[r] = 0;
      }
      for (int k = from; k < to; k++) {
        float w = scales.get(scaleAt + k / 32 * 32) * codes.get(at + k * 32);
        for (int r = 0; r < Shape.TILE; r++) {
          a[r] = a[r] + x.get((row + r) * inputs + k) * w;
        }
      }
      for (int r = 0; r < Shape.TILE; r++) {
        sums[r * THREADS + context.localIdx] = a[r];
      }
    }
    context.localBarrier();
    if (slice < left) {
      // Not in a method of its own: there TornadoVM reads local memory as if it were a Java array.
      float total = 0;
      for (int s = 0; s < SLICES; s++) {
        total += sums[slice * THREADS + s * 32 + lane];
      }
      int output = context.groupIdx * 32 + lane;
      float value = total + bias.get(layer.get(0) * outputs + output);
      CpuMatMulKernel.store(y, (row + slice) * outputs + output, value, add);
    }
  }
}

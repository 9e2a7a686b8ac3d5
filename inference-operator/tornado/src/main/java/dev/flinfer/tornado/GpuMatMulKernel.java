package dev.flinfer.tornado;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.Int8Array;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * {@code y = x W^T + bias}, or {@code y += x W^T + bias}, for GPUs: one work-group computes a panel
 * of 32 outputs for a tile of 8 rows. The inputs are divided among its 16 warps, each warp reads
 * full lines of the panel, and their sums are added in local memory in a fixed order. One row is
 * summed in the same order as eight, so that its bits do not depend on the batch.
 *
 * <p>Weights are laid out as {@link PanelWeights} describes; they are multiplied in fp32, whatever
 * their type. The parameters are those of {@link CpuMatMulKernel}, for the same reason.
 */
final class GpuMatMulKernel {
  /**
   * Parts that the inputs are divided into, one per warp. At least as many as the rows of a tile,
   * because at the end each warp adds up one row.
   */
  static final int SLICES = 16;

  /** Threads of a work-group. */
  static final int THREADS = Shape.PANEL * SLICES;

  private GpuMatMulKernel() {}

  /**
   * Groups are (panels, rows / 8).
   *
   * @param control holds the number of rows
   * @param layer cell 0 holds the layer
   * @param x (rows, inputs)
   * @param type type of the weights, see {@link PanelWeights#type}
   * @param y (rows, outputs)
   * @param add 1 to add to the contents of {@code y}, otherwise 0
   */
  static void multiply(
      KernelContext context,
      IntArray control,
      IntArray layer,
      FloatArray x,
      FloatArray floats,
      HalfFloatArray halves,
      Int8Array codes,
      FloatArray bias,
      FloatArray y,
      int type,
      int inputs,
      int outputs,
      int add) {
    float[] sums = context.allocateFloatLocalArray(THREADS * Shape.TILE);
    int lane = context.localIdx % 32;
    int slice = context.localIdx / 32;
    int row = context.groupIdy * Shape.TILE;
    int left = TornadoMath.min(control.get(StepControl.ROWS) - row, Shape.TILE);
    int panel = layer.get(0) * (outputs / 32) + context.groupIdx;
    int at = panel * inputs * 32 + lane;
    int scaleAt = panel * inputs + lane;
    int length = (inputs / 32 + SLICES - 1) / SLICES * 32;
    int from = slice * length;
    int to = Math.min(inputs, from + length);
    if (left == 1) {
      // Eight loads are pending at once; the summation order is that of many rows.
      float a = 0;
      for (int k = from; k < to; k += 8) {
        float scale = PanelWeights.scale(floats, type, scaleAt + k / 32 * 32);
        float w0 = PanelWeights.get(floats, halves, codes, type, at + k * 32, scale);
        float w1 = PanelWeights.get(floats, halves, codes, type, at + (k + 1) * 32, scale);
        float w2 = PanelWeights.get(floats, halves, codes, type, at + (k + 2) * 32, scale);
        float w3 = PanelWeights.get(floats, halves, codes, type, at + (k + 3) * 32, scale);
        float w4 = PanelWeights.get(floats, halves, codes, type, at + (k + 4) * 32, scale);
        float w5 = PanelWeights.get(floats, halves, codes, type, at + (k + 5) * 32, scale);
        float w6 = PanelWeights.get(floats, halves, codes, type, at + (k + 6) * 32, scale);
        float w7 = PanelWeights.get(floats, halves, codes, type, at + (k + 7) * 32, scale);
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
        float scale = PanelWeights.scale(floats, type, scaleAt + k / 32 * 32);
        float w = PanelWeights.get(floats, halves, codes, type, at + k * 32, scale);
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
      // Not in a separate method: there TornadoVM reads local memory as if it were a Java array.
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

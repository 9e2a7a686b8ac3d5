package dev.flinfer.tornado;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.Int8Array;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * {@link CpuMatMulKernel} for 8-bit weights with a float scale for each 32 inputs (Q8_0).
 *
 * <p>Codes lie in panels: (num_layers, panels, inputs, 32), scales too: (num_layers, panels, inputs
 * / 32, 32).
 */
final class CpuQuantMatMulKernel {
  private static final int WIDTH = CpuMatMulKernel.WIDTH;

  private CpuQuantMatMulKernel() {}

  /**
   * Threads are (outputs / 16, rows / 4).
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
    int output = context.globalIdx * WIDTH;
    int row = context.globalIdy * CpuMatMulKernel.ROWS;
    int left = control.get(rowsAt) - row;
    int panel = layer.get(0) * (outputs / 32) + output / 32;
    int at = panel * inputs * 32 + output % 32;
    int scaleAt = panel * inputs + output % 32;
    int biasAt = layer.get(0) * outputs + output;
    if (left > 1) {
      fourRows(
          x,
          row * inputs,
          codes,
          scales,
          at,
          scaleAt,
          inputs,
          bias,
          biasAt,
          y,
          row * outputs + output,
          outputs,
          add);
    } else if (left == 1) {
      oneRow(
          x,
          row * inputs,
          codes,
          scales,
          at,
          scaleAt,
          inputs,
          bias,
          biasAt,
          y,
          row * outputs + output,
          add);
    }
  }

  private static void fourRows(
      FloatArray x,
      int xAt,
      Int8Array codes,
      FloatArray scales,
      int at,
      int scaleAt,
      int inputs,
      FloatArray bias,
      int biasAt,
      FloatArray y,
      int yAt,
      int outputs,
      int add) {
    float[] a = new float[WIDTH];
    float[] b = new float[WIDTH];
    float[] c = new float[WIDTH];
    float[] d = new float[WIDTH];
    for (int i = 0; i < WIDTH; i++) {
      a[i] = 0;
      b[i] = 0;
      c[i] = 0;
      d[i] = 0;
    }
    for (int k = 0; k < inputs; k++) {
      float xa = x.get(xAt + k);
      float xb = x.get(xAt + inputs + k);
      float xc = x.get(xAt + 2 * inputs + k);
      float xd = x.get(xAt + 3 * inputs + k);
      for (int i = 0; i < WIDTH; i++) {
        float w = (scales.get(scaleAt + k / 32 * 32 + i) * codes.get(at + k * 32 + i));
        a[i] = a[i] + xa * w;
        b[i] = b[i] + xb * w;
        c[i] = c[i] + xc * w;
        d[i] = d[i] + xd * w;
      }
    }
    for (int i = 0; i < WIDTH; i++) {
      float added = bias.get(biasAt + i);
      CpuMatMulKernel.store(y, yAt + i, a[i] + added, add);
      CpuMatMulKernel.store(y, yAt + outputs + i, b[i] + added, add);
      CpuMatMulKernel.store(y, yAt + 2 * outputs + i, c[i] + added, add);
      CpuMatMulKernel.store(y, yAt + 3 * outputs + i, d[i] + added, add);
    }
  }

  private static void oneRow(
      FloatArray x,
      int xAt,
      Int8Array codes,
      FloatArray scales,
      int at,
      int scaleAt,
      int inputs,
      FloatArray bias,
      int biasAt,
      FloatArray y,
      int yAt,
      int add) {
    float[] a = new float[WIDTH];
    for (int i = 0; i < WIDTH; i++) {
      a[i] = 0;
    }
    for (int k = 0; k < inputs; k++) {
      float xa = x.get(xAt + k);
      for (int i = 0; i < WIDTH; i++) {
        a[i] = a[i] + xa * (scales.get(scaleAt + k / 32 * 32 + i) * codes.get(at + k * 32 + i));
      }
    }
    for (int i = 0; i < WIDTH; i++) {
      CpuMatMulKernel.store(y, yAt + i, a[i] + bias.get(biasAt + i), add);
    }
  }
}

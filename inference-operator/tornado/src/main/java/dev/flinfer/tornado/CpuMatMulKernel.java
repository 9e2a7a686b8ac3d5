package dev.flinfer.tornado;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.Int8Array;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * {@code y = x W^T + bias}, or {@code y += x W^T + bias}, for devices that are CPUs: one thread
 * computes 16 outputs of four rows in registers, without local memory, and sums every output over
 * the inputs in sequence. On PoCL this is two to four times as fast as the GPU kernel.
 *
 * <p>Weights are laid out as {@link PanelWeights} describes; they are multiplied in fp32, whatever
 * their type. Parameter lists repeat because TornadoVM gives kernels arrays and numbers only.
 */
final class CpuMatMulKernel {
  /** Outputs per thread: one AVX-512 vector, and as many registers as the compiler keeps apart. */
  static final int WIDTH = 16;

  /** Rows per thread. */
  static final int ROWS = 4;

  private CpuMatMulKernel() {}

  /**
   * Threads are (outputs / 16, rows / 4).
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
    int output = context.globalIdx * WIDTH;
    int row = context.globalIdy * ROWS;
    int left = control.get(StepControl.ROWS) - row;
    int panel = layer.get(0) * (outputs / 32) + output / 32;
    int at = panel * inputs * 32 + output % 32;
    int scaleAt = panel * inputs + output % 32;
    int biasAt = layer.get(0) * outputs + output;
    if (left > 1) {
      fourRows(
          x,
          row * inputs,
          floats,
          halves,
          codes,
          type,
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
          floats,
          halves,
          codes,
          type,
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
      FloatArray floats,
      HalfFloatArray halves,
      Int8Array codes,
      int type,
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
        float scale = PanelWeights.scale(floats, type, scaleAt + k / 32 * 32 + i);
        float w = PanelWeights.get(floats, halves, codes, type, at + k * 32 + i, scale);
        a[i] = a[i] + xa * w;
        b[i] = b[i] + xb * w;
        c[i] = c[i] + xc * w;
        d[i] = d[i] + xd * w;
      }
    }
    for (int i = 0; i < WIDTH; i++) {
      float added = bias.get(biasAt + i);
      store(y, yAt + i, a[i] + added, add);
      store(y, yAt + outputs + i, b[i] + added, add);
      store(y, yAt + 2 * outputs + i, c[i] + added, add);
      store(y, yAt + 3 * outputs + i, d[i] + added, add);
    }
  }

  /** As {@link #fourRows}, in the same summation order; three more rows would take time. */
  private static void oneRow(
      FloatArray x,
      int xAt,
      FloatArray floats,
      HalfFloatArray halves,
      Int8Array codes,
      int type,
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
        float scale = PanelWeights.scale(floats, type, scaleAt + k / 32 * 32 + i);
        float w = PanelWeights.get(floats, halves, codes, type, at + k * 32 + i, scale);
        a[i] = a[i] + xa * w;
      }
    }
    for (int i = 0; i < WIDTH; i++) {
      store(y, yAt + i, a[i] + bias.get(biasAt + i), add);
    }
  }

  static void store(FloatArray y, int at, float value, int add) {
    if (add == 1) {
      y.set(at, y.get(at) + value);
    } else {
      y.set(at, value);
    }
  }
}

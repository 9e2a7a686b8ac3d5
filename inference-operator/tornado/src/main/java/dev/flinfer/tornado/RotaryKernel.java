package dev.flinfer.tornado;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Everything between the first product of a layer and its attention, in one launch: q is rotated, k
 * is rotated and stored, v is stored, GELU is applied to fc1. One thread per output, so that no
 * part waits for another.
 */
final class RotaryKernel {
  /** {@code -2 sqrt(2 / pi)}: {@code (1 + tanh(u)) / 2} of GELU is {@code 1 / (1 + exp(-2u))}. */
  private static final float GELU_SCALE = -1.5957691f;

  private static final float GELU_CUBE = 0.044715f;

  private RotaryKernel() {}

  /**
   * @param projected (rows, q | k | v | fc1), padded to full panels
   * @param rotary (max_position_embeddings, cos: rotaryDim / 2 | sin: rotaryDim / 2)
   * @param query (rows, width)
   * @param keys (num_layers, kvBlocks, num_heads, head_dim, 16), as {@code halfKeys}
   * @param values (num_layers, kvBlocks, num_heads, 16, head_dim), as {@code halfValues}
   * @param mixed (rows, attention | activation), each padded; the activation is written
   * @param inHalf 1 if keys and values are in the fp16 arrays, otherwise 0
   */
  static void rotateStoreActivate(
      KernelContext context,
      IntArray control,
      IntArray layer,
      FloatArray projected,
      FloatArray rotary,
      FloatArray query,
      FloatArray keys,
      HalfFloatArray halfKeys,
      FloatArray values,
      HalfFloatArray halfValues,
      FloatArray mixed,
      int maxRows,
      int kvBlocks,
      int width,
      int headDim,
      int rotaryDim,
      int intermediate,
      int inHalf) {
    int i = context.globalIdx;
    int row = context.globalIdy;
    if (row < control.get(StepControl.ROWS)) {
      int at = row * padded(3 * width + intermediate);
      int position = control.get(StepControl.TOKENS + maxRows + row);
      if (i < width) {
        query.set(row * width + i, rotated(projected, at, i, rotary, position, headDim, rotaryDim));
      } else if (i < 3 * width) {
        int part = i / width;
        int e = i - part * width;
        int d = e % headDim;
        int table = control.get(StepControl.TOKENS + 2 * maxRows + row);
        int block = control.get(table + position / 16);
        int page = ((layer.get(0) * kvBlocks + block) * width + e - d) * 16;
        if (part == 1) {
          float key = rotated(projected, at + width, e, rotary, position, headDim, rotaryDim);
          FloatOrHalfArray.set(keys, halfKeys, inHalf, page + d * 16 + position % 16, key);
        } else {
          int valueAt = page + position % 16 * headDim + d;
          FloatOrHalfArray.set(values, halfValues, inHalf, valueAt, projected.get(at + i));
        }
      } else if (i < 3 * width + intermediate) {
        int e = i - 3 * width;
        int mixedAt = row * (padded(width) + padded(intermediate)) + padded(width);
        mixed.set(mixedAt + e, gelu(projected.get(at + i)));
      }
    }
  }

  /**
   * Rounds up to full panels as {@link Shape} does; passing the results would take too many
   * parameters.
   */
  private static int padded(int length) {
    return (length + 31) / 32 * 32;
  }

  /** Element {@code e} of q or k, first half of the rotated dimensions against second half. */
  private static float rotated(
      FloatArray projected,
      int at,
      int e,
      FloatArray rotary,
      int position,
      int headDim,
      int rotaryDim) {
    int d = e % headDim;
    float value = projected.get(at + e);
    int half = rotaryDim / 2;
    if (d < half) {
      float cos = rotary.get(position * rotaryDim + d);
      float sin = rotary.get(position * rotaryDim + half + d);
      value = value * cos - projected.get(at + e + half) * sin;
    } else if (d < rotaryDim) {
      float cos = rotary.get(position * rotaryDim + d - half);
      float sin = rotary.get(position * rotaryDim + d);
      value = value * cos + projected.get(at + e - half) * sin;
    }
    return value;
  }

  private static float gelu(float x) {
    float cubic = x * x * x * GELU_CUBE + x;
    return x / (1 + TornadoMath.exp(GELU_SCALE * cubic));
  }
}

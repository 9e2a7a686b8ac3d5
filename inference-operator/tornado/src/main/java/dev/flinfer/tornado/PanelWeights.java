package dev.flinfer.tornado;

import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.Int8Array;

/**
 * The weights of a matrix in panels of 32 outputs, (num_layers, outputs / 32, inputs, 32): floats
 * in fp32 or fp16, or 8-bit codes with a float scale for each 32 inputs (Q8_0). As with {@link
 * FloatOrHalfArray}, a kernel takes all arrays and the type, and only the branch of that type is
 * compiled. Each further array costs a launch a microsecond or two, so fp32 numbers and scales
 * share one.
 *
 * @param floats weights in fp32, or the scales of codes, (num_layers, outputs / 32, inputs / 32,
 *     32); otherwise one element
 * @param halves weights in fp16; otherwise one element
 * @param codes weights in Q8_0; otherwise one element
 * @param type {@link #F32}, {@link #F16} or {@link #Q8_0}; the first two are the values of {@link
 *     FloatOrHalfArray#inHalf}
 */
record PanelWeights(FloatArray floats, HalfFloatArray halves, Int8Array codes, int type) {
  static final int F32 = 0;
  static final int F16 = 1;
  static final int Q8_0 = 2;

  /** Allocates weights that are all zero. */
  static PanelWeights allocate(HostMemory memory, MatrixType type, long elements) {
    if (type == MatrixType.Q8_0) {
      FloatArray scales = memory.floats(elements / Shape.PANEL);
      return new PanelWeights(scales, memory.halves(1), memory.bytes(elements), Q8_0);
    }
    FloatOrHalfArray numbers = FloatOrHalfArray.allocate(memory, elements, type == MatrixType.F16);
    return new PanelWeights(numbers.floats(), numbers.halves(), memory.bytes(1), numbers.inHalf());
  }

  /** For kernels: the factor by which {@link #get} multiplies codes; fp32 and fp16 have none. */
  static float scale(FloatArray floats, int type, int at) {
    if (type == Q8_0) {
      return floats.get(at);
    } else {
      return 1;
    }
  }

  /** For kernels: returns a weight. */
  static float get(
      FloatArray floats, HalfFloatArray halves, Int8Array codes, int type, int at, float scale) {
    if (type == Q8_0) {
      return scale * codes.get(at);
    } else {
      return FloatOrHalfArray.get(floats, halves, type, at);
    }
  }
}

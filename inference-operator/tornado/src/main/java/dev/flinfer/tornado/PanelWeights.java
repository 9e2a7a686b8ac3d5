package dev.flinfer.tornado;

import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.Int8Array;

/**
 * The weights of a matrix in panels of 32 outputs, (num_layers, outputs / 32, inputs, 32): floats
 * in fp32 or fp16, or 8-bit codes with a float scale for each 32 inputs (Q8_0). As with {@link
 * FloatOrHalfArray}, a kernel takes all arrays and the type, and only the branch of that type is
 * compiled.
 *
 * @param numbers weights in fp32 or fp16; one element if weights are in Q8_0
 * @param codes one element if weights are in fp32 or fp16
 * @param scales (num_layers, outputs / 32, inputs / 32, 32) of the codes, otherwise one element
 * @param type 0 for fp32 and 1 for fp16, like {@link FloatOrHalfArray#inHalf}, or {@link #Q8_0}
 */
record PanelWeights(FloatOrHalfArray numbers, Int8Array codes, FloatArray scales, int type) {
  /** The {@link #type} of codes. */
  static final int Q8_0 = 2;

  /** Allocates weights that are all zero. */
  static PanelWeights allocate(HostMemory memory, MatrixType type, long elements) {
    boolean quantized = type == MatrixType.Q8_0;
    FloatOrHalfArray numbers =
        FloatOrHalfArray.allocate(memory, quantized ? 1 : elements, type == MatrixType.F16);
    return new PanelWeights(
        numbers,
        memory.bytes(quantized ? elements : 1),
        memory.floats(quantized ? elements / Shape.PANEL : 1),
        quantized ? Q8_0 : numbers.inHalf());
  }

  boolean quantized() {
    return type == Q8_0;
  }

  /** For kernels: the factor by which {@link #get} multiplies codes; fp32 and fp16 have none. */
  static float scale(FloatArray scales, int type, int at) {
    if (type == Q8_0) {
      return scales.get(at);
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

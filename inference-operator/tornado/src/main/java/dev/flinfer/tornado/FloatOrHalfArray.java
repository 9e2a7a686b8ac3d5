package dev.flinfer.tornado;

import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;

/**
 * An array in fp32 or in fp16. A kernel takes both arrays and the flag: scalars are compiled in, so
 * the branch that is not taken is gone before code is generated, and a device without fp16 never
 * sees it.
 *
 * @param floats one element if numbers are in fp16
 * @param halves one element if numbers are in fp32
 * @param inHalf 1 if numbers are in fp16, else 0
 */
record FloatOrHalfArray(FloatArray floats, HalfFloatArray halves, int inHalf) {

  /** Zeros. */
  static FloatOrHalfArray allocate(HostMemory memory, long count, boolean half) {
    return new FloatOrHalfArray(
        memory.floats(half ? 1 : count), memory.halves(half ? count : 1), half ? 1 : 0);
  }

  /** In kernels: a number. */
  static float get(FloatArray floats, HalfFloatArray halves, int inHalf, int at) {
    if (inHalf == 1) {
      return halves.get(at).getFloat32();
    } else {
      return floats.get(at);
    }
  }

  /** In kernels: stores a number, in fp16 the nearest one. */
  static void set(FloatArray floats, HalfFloatArray halves, int inHalf, int at, float value) {
    if (inHalf == 1) {
      halves.set(at, new HalfFloat(value));
    } else {
      floats.set(at, value);
    }
  }
}

package dev.flinfer.tornado;

import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;

/**
 * An array in fp32 or in fp16. A kernel takes both arrays and the flag: scalars are compiled in, so
 * the branch that is not taken is removed before code is generated, and a device without fp16 never
 * sees it.
 *
 * @param floats one element if values are in fp16
 * @param halves one element if values are in fp32
 * @param inHalf 1 if values are in fp16, otherwise 0
 */
record FloatOrHalfArray(FloatArray floats, HalfFloatArray halves, int inHalf) {

  /** Allocates an array of zeros. */
  static FloatOrHalfArray allocate(HostMemory memory, long count, boolean half) {
    return new FloatOrHalfArray(
        memory.floats(half ? 1 : count), memory.halves(half ? count : 1), half ? 1 : 0);
  }

  /** For kernels: returns a value. */
  static float get(FloatArray floats, HalfFloatArray halves, int inHalf, int at) {
    if (inHalf == 1) {
      return halves.get(at).getFloat32();
    } else {
      return floats.get(at);
    }
  }

  /** For kernels: stores a value, in fp16 rounded to the nearest. */
  static void set(FloatArray floats, HalfFloatArray halves, int inHalf, int at, float value) {
    if (inHalf == 1) {
      halves.set(at, new HalfFloat(value));
    } else {
      floats.set(at, value);
    }
  }
}

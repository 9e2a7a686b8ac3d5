package dev.flinfer.engine.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The scales of a matrix's codes, or the minimums.
 *
 * @param width bytes of one: 2 or 4
 */
record Scales(MemorySegment memory, int width) {

  static Scales allocate(Arena arena, long count, int width) {
    return new Scales(NativeMemory.allocate(arena, count * width, "weights"), width);
  }

  /** Stores scales from {@code at} on. */
  void store(float[] from, int count, long at) {
    for (int i = 0; i < count; i++) {
      if (width == Float.BYTES) {
        memory.setAtIndex(ValueLayout.JAVA_FLOAT, at + i, from[i]);
      } else {
        memory.setAtIndex(ValueLayout.JAVA_SHORT, at + i, Float.floatToFloat16(from[i]));
      }
    }
  }

  /** Reads scales from {@code at} on; {@code count} is whole vectors. */
  void read(long at, float[] to, int count) {
    if (width == Float.BYTES) {
      MemorySegment.copy(memory, ValueLayout.JAVA_FLOAT, at * width, to, 0, count);
    } else {
      HalvesKernel.f16(memory, at * width, to, count);
    }
  }
}

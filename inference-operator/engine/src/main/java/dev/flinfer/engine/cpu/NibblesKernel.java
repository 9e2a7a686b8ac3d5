package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.Lanes.ORDER;
import static dev.flinfer.engine.cpu.Lanes.SPECIES;
import static dev.flinfer.engine.cpu.MatMulKernel.WIDTH;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Products with unsigned nibbles, an int for two inputs, the lower half for the first; otherwise as
 * {@link BytesKernel}. The group of inputs that share a scale is even. There is no kernel for one
 * row: it needs both inputs of an int in one loop.
 */
final class NibblesKernel {
  private static final long VECTOR = COUNT * Float.BYTES;
  private static final long ROW = 4 * VECTOR;

  private NibblesKernel() {}

  /**
   * Widens the tile's codes into its weights; with an odd depth one row more is written than there
   * are inputs.
   */
  static void unpack(Tile tile, int depth) {
    for (int k = 0; k < depth; k += tile.group) {
      int pairs = (Math.min(tile.group, depth - k) + 1) / 2;
      long at = tile.codesAt + k / 2 * VECTOR;
      int scaleAt = k / tile.group * WIDTH;
      unpackHalf(tile, at, 16, scaleAt, pairs, k * ROW);
      unpackHalf(tile, at, 0, scaleAt, pairs, (k + 1) * ROW);
    }
  }

  /** Every second input. Both in one loop are more nodes than C2 inlines: a third of the speed. */
  private static void unpackHalf(
      Tile tile, long at, int shift, int scaleAt, int pairs, long wideAt) {
    MemorySegment codes = tile.codes;
    MemorySegment w = tile.wide;
    FloatVector s0 = FloatVector.fromArray(SPECIES, tile.scales, scaleAt);
    FloatVector s1 = FloatVector.fromArray(SPECIES, tile.scales, scaleAt + COUNT);
    FloatVector s2 = FloatVector.fromArray(SPECIES, tile.scales, scaleAt + 2 * COUNT);
    FloatVector s3 = FloatVector.fromArray(SPECIES, tile.scales, scaleAt + 3 * COUNT);
    FloatVector m0 = FloatVector.fromArray(SPECIES, tile.minimums, scaleAt);
    FloatVector m1 = FloatVector.fromArray(SPECIES, tile.minimums, scaleAt + COUNT);
    FloatVector m2 = FloatVector.fromArray(SPECIES, tile.minimums, scaleAt + 2 * COUNT);
    FloatVector m3 = FloatVector.fromArray(SPECIES, tile.minimums, scaleAt + 3 * COUNT);
    for (int pair = 0; pair < pairs; pair++) {
      IntVector v =
          IntVector.fromMemorySegment(Lanes.INTS, codes, at + pair * VECTOR, ORDER)
              .lanewise(VectorOperators.LSHL, shift);
      long to = wideAt + pair * 2 * ROW;
      Lanes.widen(nibble(v, 12), s0, m0).intoMemorySegment(w, to, ORDER);
      Lanes.widen(nibble(v, 8), s1, m1).intoMemorySegment(w, to + VECTOR, ORDER);
      Lanes.widen(nibble(v, 4), s2, m2).intoMemorySegment(w, to + 2 * VECTOR, ORDER);
      Lanes.widen(nibble(v, 0), s3, m3).intoMemorySegment(w, to + 3 * VECTOR, ORDER);
    }
  }

  /** Two shifts, as {@code and(15)} makes its vector anew each time: a third of the speed. */
  private static IntVector nibble(IntVector v, int up) {
    return v.lanewise(VectorOperators.LSHL, up).lanewise(VectorOperators.LSHR, 28);
  }
}

package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.BytesKernel.BYTES;
import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.Lanes.INTS;
import static dev.flinfer.engine.cpu.Lanes.ORDER;
import static dev.flinfer.engine.cpu.Lanes.SPECIES;
import static dev.flinfer.engine.cpu.MatMulKernel.ROW;
import static dev.flinfer.engine.cpu.MatMulKernel.VECTOR;
import static dev.flinfer.engine.cpu.MatMulKernel.WIDTH;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/**
 * Products with unsigned nibbles, a byte for two inputs of an output, the lower half for the first;
 * otherwise as {@link BytesKernel}. The group of inputs that share a scale is even.
 *
 * <p>The mask is a local variable: made anew for each vector it takes three times as long.
 */
final class NibblesKernel {
  private static final int NIBBLE = 15;

  private NibblesKernel() {}

  /**
   * Widens the tile's codes into its weights; with an odd depth one row more is written than there
   * are inputs.
   */
  static void unpack(Tile tile, int depth) {
    for (int k = 0; k < depth; k += tile.group) {
      unpackGroup(
          tile.codes,
          tile.codesAt + k / 2L * WIDTH,
          tile.scales,
          tile.minimums,
          k / tile.group * WIDTH,
          (Math.min(tile.group, depth - k) + 1) / 2,
          tile.wide,
          k * ROW);
    }
  }

  /**
   * {@link MatMulKernel#row} of both panels of a pair straight from the codes, in turns: both in
   * one loop are more nodes than C2 inlines, and a sixth of the speed.
   */
  static void row(Tile tile, int depth, float[] x, int xAt, float[] y, int yAt) {
    for (int k = 0; k < depth; k += tile.group) {
      int count = Math.min(tile.group, depth - k);
      rowOfGroup(tile, k, count, x, xAt + k, y, yAt);
      rowOfGroup(tile.other, k, count, x, xAt + k, y, yAt + WIDTH);
    }
  }

  private static void rowOfGroup(
      Tile tile, int k, int depth, float[] x, int xAt, float[] y, int yAt) {
    rowOfGroup(
        tile.codes,
        tile.codesAt + k / 2L * WIDTH,
        tile.scales,
        tile.minimums,
        k / tile.group * WIDTH,
        depth,
        x,
        xAt,
        y,
        yAt);
  }

  private static void unpackGroup(
      MemorySegment codes,
      long at,
      float[] scales,
      float[] minimums,
      int scaleAt,
      int pairs,
      MemorySegment w,
      long wAt) {
    IntVector mask = IntVector.broadcast(INTS, NIBBLE);
    FloatVector s0 = FloatVector.fromArray(SPECIES, scales, scaleAt);
    FloatVector s1 = FloatVector.fromArray(SPECIES, scales, scaleAt + COUNT);
    FloatVector m0 = FloatVector.fromArray(SPECIES, minimums, scaleAt);
    FloatVector m1 = FloatVector.fromArray(SPECIES, minimums, scaleAt + COUNT);
    for (int pair = 0; pair < pairs; pair++) {
      IntVector v0 = load(codes, at + (long) pair * WIDTH);
      IntVector v1 = load(codes, at + (long) pair * WIDTH + COUNT);
      long to = wAt + pair * 2 * ROW;
      first(v0, mask).fma(s0, m0).intoMemorySegment(w, to, ORDER);
      first(v1, mask).fma(s1, m1).intoMemorySegment(w, to + VECTOR, ORDER);
      second(v0, mask).fma(s0, m0).intoMemorySegment(w, to + ROW, ORDER);
      second(v1, mask).fma(s1, m1).intoMemorySegment(w, to + ROW + VECTOR, ORDER);
    }
  }

  private static void rowOfGroup(
      MemorySegment codes,
      long at,
      float[] scales,
      float[] minimums,
      int scaleAt,
      int depth,
      float[] x,
      int xAt,
      float[] y,
      int yAt) {
    IntVector mask = IntVector.broadcast(INTS, NIBBLE);
    FloatVector s0 = FloatVector.fromArray(SPECIES, scales, scaleAt);
    FloatVector s1 = FloatVector.fromArray(SPECIES, scales, scaleAt + COUNT);
    FloatVector m0 = FloatVector.fromArray(SPECIES, minimums, scaleAt);
    FloatVector m1 = FloatVector.fromArray(SPECIES, minimums, scaleAt + COUNT);
    FloatVector a0 = FloatVector.fromArray(SPECIES, y, yAt);
    FloatVector a1 = FloatVector.fromArray(SPECIES, y, yAt + COUNT);
    int pairs = depth / 2;
    for (int pair = 0; pair < pairs; pair++) {
      IntVector v0 = load(codes, at + (long) pair * WIDTH);
      IntVector v1 = load(codes, at + (long) pair * WIDTH + COUNT);
      FloatVector b = FloatVector.broadcast(SPECIES, x[xAt + 2 * pair]);
      FloatVector c = FloatVector.broadcast(SPECIES, x[xAt + 2 * pair + 1]);
      a0 = b.fma(first(v0, mask).fma(s0, m0), a0);
      a1 = b.fma(first(v1, mask).fma(s1, m1), a1);
      a0 = c.fma(second(v0, mask).fma(s0, m0), a0);
      a1 = c.fma(second(v1, mask).fma(s1, m1), a1);
    }
    if (2 * pairs < depth) {
      FloatVector b = FloatVector.broadcast(SPECIES, x[xAt + depth - 1]);
      long last = at + (long) pairs * WIDTH;
      a0 = b.fma(first(load(codes, last), mask).fma(s0, m0), a0);
      a1 = b.fma(first(load(codes, last + COUNT), mask).fma(s1, m1), a1);
    }
    a0.intoArray(y, yAt);
    a1.intoArray(y, yAt + COUNT);
  }

  /** Two nibbles in each int. */
  private static IntVector load(MemorySegment codes, long at) {
    return (IntVector)
        ByteVector.fromMemorySegment(BYTES, codes, at, ORDER)
            .convertShape(VectorOperators.B2I, INTS, 0);
  }

  private static FloatVector first(IntVector pair, IntVector mask) {
    return (FloatVector) pair.and(mask).convert(VectorOperators.I2F, 0);
  }

  private static FloatVector second(IntVector pair, IntVector mask) {
    return first(pair.lanewise(VectorOperators.LSHR, 4), mask);
  }
}

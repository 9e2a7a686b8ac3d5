package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.BytesKernel.BYTES;
import static dev.flinfer.engine.cpu.BytesKernel.WITHIN_GROUP;
import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.Lanes.INTS;
import static dev.flinfer.engine.cpu.Lanes.ORDER;
import static dev.flinfer.engine.cpu.Lanes.SPECIES;
import static dev.flinfer.engine.cpu.MatMulKernel.ROW;
import static dev.flinfer.engine.cpu.MatMulKernel.VECTOR;
import static dev.flinfer.engine.cpu.MatMulKernel.WIDTH;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
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
  /** The bits of a byte's first code. */
  static final int LOW = 15;

  /**
   * Those of the second, which is taken where it is, as 16 times its value, with a sixteenth of the
   * scale: both are exact, so the weight is the same, and a shift is saved.
   */
  static final int HIGH = 240;

  static final float SIXTEENTH = 1f / 16;

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

  /** {@link MatMulKernel#row} of both panels of a pair straight from the codes. */
  static void row(Tile tile, int depth, float[] x, int xAt, float[] y, int yAt) {
    pairs(tile, depth, x, xAt, y, yAt);
    if (depth % 2 != 0) {
      for (int vector = 0; vector < WIDTH; vector += COUNT) {
        float last = x[xAt + depth - 1];
        lastInput(tile, vector, depth - 1, last, y, yAt + vector);
        lastInput(tile.other, vector, depth - 1, last, y, yAt + WIDTH + vector);
      }
    }
  }

  /** A vector's products with the input {@code k}, the first in its byte. */
  static void lastInput(Tile tile, int vector, int k, float x, float[] y, int yAt) {
    long at = tile.codesAt + k / 2L * WIDTH + vector;
    int scaleAt = k / tile.group * WIDTH + vector;
    for (int i = 0; i < COUNT; i++) {
      int code = tile.codes.get(ValueLayout.JAVA_BYTE, at + i) & LOW;
      float weight = Math.fma(code, tile.scales[scaleAt + i], tile.minimums[scaleAt + i]);
      y[yAt + i] = Math.fma(x, weight, y[yAt + i]);
    }
  }

  /** As in {@link NibblesEightRows} all is written out: with methods it takes six times as long. */
  private static void pairs(Tile tile, int depth, float[] x, int xAt, float[] y, int yAt) {
    MemorySegment codes = tile.codes;
    float[] scales = tile.scales;
    float[] minimums = tile.minimums;
    float[] otherScales = tile.other.scales;
    float[] otherMinimums = tile.other.minimums;
    int group = tile.group;
    IntVector low = IntVector.broadcast(INTS, LOW);
    IntVector high = IntVector.broadcast(INTS, HIGH);
    FloatVector a0 = FloatVector.fromArray(SPECIES, y, yAt);
    FloatVector a1 = FloatVector.fromArray(SPECIES, y, yAt + COUNT);
    FloatVector a2 = FloatVector.fromArray(SPECIES, y, yAt + 2 * COUNT);
    FloatVector a3 = FloatVector.fromArray(SPECIES, y, yAt + 3 * COUNT);
    for (int g = 0; g < depth; g += group) {
      int s = g / group * WIDTH;
      FloatVector s0 = FloatVector.fromArray(SPECIES, scales, s);
      FloatVector s1 = FloatVector.fromArray(SPECIES, scales, s + COUNT);
      FloatVector s2 = FloatVector.fromArray(SPECIES, otherScales, s);
      FloatVector s3 = FloatVector.fromArray(SPECIES, otherScales, s + COUNT);
      FloatVector m0 = FloatVector.fromArray(SPECIES, minimums, s);
      FloatVector m1 = FloatVector.fromArray(SPECIES, minimums, s + COUNT);
      FloatVector m2 = FloatVector.fromArray(SPECIES, otherMinimums, s);
      FloatVector m3 = FloatVector.fromArray(SPECIES, otherMinimums, s + COUNT);
      FloatVector h0 = s0.mul(SIXTEENTH);
      FloatVector h1 = s1.mul(SIXTEENTH);
      FloatVector h2 = s2.mul(SIXTEENTH);
      FloatVector h3 = s3.mul(SIXTEENTH);
      long at = tile.codesAt + g / 2L * WIDTH;
      long otherAt = tile.other.codesAt + g / 2L * WIDTH;
      int end = Math.min(group, depth - g) / 2;
      for (int k = 0; k < end; k++) {
        long from = at + (long) (k & WITHIN_GROUP) * WIDTH;
        long other = otherAt + (long) (k & WITHIN_GROUP) * WIDTH;
        FloatVector b = FloatVector.broadcast(SPECIES, x[xAt + g + 2 * k]);
        FloatVector c = FloatVector.broadcast(SPECIES, x[xAt + g + 2 * k + 1]);
        IntVector v0 =
            (IntVector)
                ByteVector.fromMemorySegment(BYTES, codes, from, ORDER)
                    .convertShape(VectorOperators.B2I, INTS, 0);
        FloatVector f0 = (FloatVector) v0.and(low).convert(VectorOperators.I2F, 0);
        a0 = b.fma(f0.fma(s0, m0), a0);
        FloatVector g0 = (FloatVector) v0.and(high).convert(VectorOperators.I2F, 0);
        a0 = c.fma(g0.fma(h0, m0), a0);
        IntVector v1 =
            (IntVector)
                ByteVector.fromMemorySegment(BYTES, codes, from + COUNT, ORDER)
                    .convertShape(VectorOperators.B2I, INTS, 0);
        FloatVector f1 = (FloatVector) v1.and(low).convert(VectorOperators.I2F, 0);
        a1 = b.fma(f1.fma(s1, m1), a1);
        FloatVector g1 = (FloatVector) v1.and(high).convert(VectorOperators.I2F, 0);
        a1 = c.fma(g1.fma(h1, m1), a1);
        IntVector v2 =
            (IntVector)
                ByteVector.fromMemorySegment(BYTES, codes, other, ORDER)
                    .convertShape(VectorOperators.B2I, INTS, 0);
        FloatVector f2 = (FloatVector) v2.and(low).convert(VectorOperators.I2F, 0);
        a2 = b.fma(f2.fma(s2, m2), a2);
        FloatVector g2 = (FloatVector) v2.and(high).convert(VectorOperators.I2F, 0);
        a2 = c.fma(g2.fma(h2, m2), a2);
        IntVector v3 =
            (IntVector)
                ByteVector.fromMemorySegment(BYTES, codes, other + COUNT, ORDER)
                    .convertShape(VectorOperators.B2I, INTS, 0);
        FloatVector f3 = (FloatVector) v3.and(low).convert(VectorOperators.I2F, 0);
        a3 = b.fma(f3.fma(s3, m3), a3);
        FloatVector g3 = (FloatVector) v3.and(high).convert(VectorOperators.I2F, 0);
        a3 = c.fma(g3.fma(h3, m3), a3);
      }
    }
    a0.intoArray(y, yAt);
    a1.intoArray(y, yAt + COUNT);
    a2.intoArray(y, yAt + 2 * COUNT);
    a3.intoArray(y, yAt + 3 * COUNT);
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
    IntVector mask = IntVector.broadcast(INTS, LOW);
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

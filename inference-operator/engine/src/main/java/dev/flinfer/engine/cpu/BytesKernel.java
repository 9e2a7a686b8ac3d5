package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.Lanes.ORDER;
import static dev.flinfer.engine.cpu.Lanes.SPECIES;
import static dev.flinfer.engine.cpu.MatMulKernel.ROW;
import static dev.flinfer.engine.cpu.MatMulKernel.VECTOR;
import static dev.flinfer.engine.cpu.MatMulKernel.WIDTH;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Products with signed bytes, (depth, WIDTH). A weight is {@code code * scale + minimum} in one
 * rounding.
 */
final class BytesKernel {
  /** No vector has 32 bits: with four lanes, four bytes more are read than are used. */
  static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, COUNT * Byte.SIZE)));

  /**
   * Of an input's index in its group, all bits: groups have at most 64 inputs. C2 prepares a loop
   * that steps through a segment for the segment's bounds, which takes as long as many of the 32
   * turns of a group, but only where it sees the loop's own index: with {@code k & WITHIN_GROUP} it
   * compares in each turn, which costs next to nothing.
   */
  static final int WITHIN_GROUP = 63;

  private BytesKernel() {}

  /** Widens the tile's codes into its weights. */
  static void unpack(Tile tile, int depth) {
    for (int k = 0; k < depth; k += tile.group) {
      unpackGroup(
          tile.codes,
          tile.codesAt + (long) k * WIDTH,
          tile.scales,
          tile.minimums,
          k / tile.group * WIDTH,
          Math.min(tile.group, depth - k),
          tile.wide,
          k * ROW);
    }
  }

  /**
   * {@link MatMulKernel#row} of both panels of a pair straight from the codes: one row reads each
   * weight once.
   */
  static void row(Tile tile, int depth, float[] x, int xAt, float[] y, int yAt) {
    MemorySegment codes = tile.codes;
    float[] scales = tile.scales;
    float[] minimums = tile.minimums;
    float[] otherScales = tile.other.scales;
    float[] otherMinimums = tile.other.minimums;
    int group = tile.group;
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
      long at = tile.codesAt + (long) g * WIDTH;
      long otherAt = tile.other.codesAt + (long) g * WIDTH;
      int end = Math.min(group, depth - g);
      for (int k = 0; k < end; k++) {
        long from = at + (long) (k & WITHIN_GROUP) * WIDTH;
        long other = otherAt + (long) (k & WITHIN_GROUP) * WIDTH;
        FloatVector b = FloatVector.broadcast(SPECIES, x[xAt + g + k]);
        a0 = b.fma(load(codes, from).fma(s0, m0), a0);
        a1 = b.fma(load(codes, from + COUNT).fma(s1, m1), a1);
        a2 = b.fma(load(codes, other).fma(s2, m2), a2);
        a3 = b.fma(load(codes, other + COUNT).fma(s3, m3), a3);
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
      int depth,
      MemorySegment w,
      long wAt) {
    FloatVector s0 = FloatVector.fromArray(SPECIES, scales, scaleAt);
    FloatVector s1 = FloatVector.fromArray(SPECIES, scales, scaleAt + COUNT);
    FloatVector m0 = FloatVector.fromArray(SPECIES, minimums, scaleAt);
    FloatVector m1 = FloatVector.fromArray(SPECIES, minimums, scaleAt + COUNT);
    for (int k = 0; k < depth; k++) {
      long from = at + (long) k * WIDTH;
      long to = wAt + k * ROW;
      load(codes, from).fma(s0, m0).intoMemorySegment(w, to, ORDER);
      load(codes, from + COUNT).fma(s1, m1).intoMemorySegment(w, to + VECTOR, ORDER);
    }
  }

  private static FloatVector load(MemorySegment codes, long at) {
    return (FloatVector)
        ByteVector.fromMemorySegment(BYTES, codes, at, ORDER)
            .convertShape(VectorOperators.B2F, SPECIES, 0);
  }
}

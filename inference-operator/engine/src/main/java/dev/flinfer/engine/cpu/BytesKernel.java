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
 * Products with signed bytes, an int an input: lane {@code j} of it holds those of the outputs
 * {@code j}, {@code COUNT + j}, {@code 2 COUNT + j} and {@code 3 COUNT + j}, so that a shift up and
 * a shift down make a vector of them, whatever its width. A weight is {@code code * scale +
 * minimum} in one rounding.
 */
final class BytesKernel {
  private static final long VECTOR = COUNT * Float.BYTES;

  private BytesKernel() {}

  /** Widens the tile's codes into its weights. */
  static void unpack(Tile tile, int depth) {
    for (int k = 0; k < depth; k += tile.group) {
      unpackGroup(
          tile.codes,
          tile.codesAt + k * VECTOR,
          tile.scales,
          tile.minimums,
          k / tile.group * WIDTH,
          Math.min(tile.group, depth - k),
          tile.wide,
          k * 4 * VECTOR);
    }
  }

  /** {@link MatMulKernel#row} straight from the codes: one row reads each weight once. */
  static void row(Tile tile, int depth, float[] x, int xAt, float[] y, int yAt) {
    for (int k = 0; k < depth; k += tile.group) {
      rowOfGroup(
          tile.codes,
          tile.codesAt + k * VECTOR,
          tile.scales,
          tile.minimums,
          k / tile.group * WIDTH,
          Math.min(tile.group, depth - k),
          x,
          xAt + k,
          y,
          yAt);
    }
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
    FloatVector s2 = FloatVector.fromArray(SPECIES, scales, scaleAt + 2 * COUNT);
    FloatVector s3 = FloatVector.fromArray(SPECIES, scales, scaleAt + 3 * COUNT);
    FloatVector m0 = FloatVector.fromArray(SPECIES, minimums, scaleAt);
    FloatVector m1 = FloatVector.fromArray(SPECIES, minimums, scaleAt + COUNT);
    FloatVector m2 = FloatVector.fromArray(SPECIES, minimums, scaleAt + 2 * COUNT);
    FloatVector m3 = FloatVector.fromArray(SPECIES, minimums, scaleAt + 3 * COUNT);
    for (int k = 0; k < depth; k++) {
      IntVector v = IntVector.fromMemorySegment(Lanes.INTS, codes, at + k * VECTOR, ORDER);
      long to = wAt + k * 4 * VECTOR;
      Lanes.widen(v.lanewise(VectorOperators.LSHL, 24).lanewise(VectorOperators.ASHR, 24), s0, m0)
          .intoMemorySegment(w, to, ORDER);
      Lanes.widen(v.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 24), s1, m1)
          .intoMemorySegment(w, to + VECTOR, ORDER);
      Lanes.widen(v.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 24), s2, m2)
          .intoMemorySegment(w, to + 2 * VECTOR, ORDER);
      Lanes.widen(v.lanewise(VectorOperators.ASHR, 24), s3, m3)
          .intoMemorySegment(w, to + 3 * VECTOR, ORDER);
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
    FloatVector s0 = FloatVector.fromArray(SPECIES, scales, scaleAt);
    FloatVector s1 = FloatVector.fromArray(SPECIES, scales, scaleAt + COUNT);
    FloatVector s2 = FloatVector.fromArray(SPECIES, scales, scaleAt + 2 * COUNT);
    FloatVector s3 = FloatVector.fromArray(SPECIES, scales, scaleAt + 3 * COUNT);
    FloatVector m0 = FloatVector.fromArray(SPECIES, minimums, scaleAt);
    FloatVector m1 = FloatVector.fromArray(SPECIES, minimums, scaleAt + COUNT);
    FloatVector m2 = FloatVector.fromArray(SPECIES, minimums, scaleAt + 2 * COUNT);
    FloatVector m3 = FloatVector.fromArray(SPECIES, minimums, scaleAt + 3 * COUNT);
    FloatVector a0 = FloatVector.fromArray(SPECIES, y, yAt);
    FloatVector a1 = FloatVector.fromArray(SPECIES, y, yAt + COUNT);
    FloatVector a2 = FloatVector.fromArray(SPECIES, y, yAt + 2 * COUNT);
    FloatVector a3 = FloatVector.fromArray(SPECIES, y, yAt + 3 * COUNT);
    for (int k = 0; k < depth; k++) {
      IntVector v = IntVector.fromMemorySegment(Lanes.INTS, codes, at + k * VECTOR, ORDER);
      FloatVector b = FloatVector.broadcast(SPECIES, x[xAt + k]);
      a0 =
          b.fma(
              Lanes.widen(
                  v.lanewise(VectorOperators.LSHL, 24).lanewise(VectorOperators.ASHR, 24), s0, m0),
              a0);
      a1 =
          b.fma(
              Lanes.widen(
                  v.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 24), s1, m1),
              a1);
      a2 =
          b.fma(
              Lanes.widen(
                  v.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 24), s2, m2),
              a2);
      a3 = b.fma(Lanes.widen(v.lanewise(VectorOperators.ASHR, 24), s3, m3), a3);
    }
    a0.intoArray(y, yAt);
    a1.intoArray(y, yAt + COUNT);
    a2.intoArray(y, yAt + 2 * COUNT);
    a3.intoArray(y, yAt + 3 * COUNT);
  }
}

package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.Lanes.ORDER;
import static dev.flinfer.engine.cpu.Lanes.SPECIES;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The inner loops of the matrix products: a tile of weights times one row or four rows.
 *
 * <p>Lanes are outputs; each output is one chain of fused multiply-adds over k in order, so its
 * bits depend neither on the number of rows nor on the vector width. 4 rows x 4 vectors keep 16
 * chains in registers and reach 112-115 GFLOP/s a core on Zen 4 of a limit of 115. The accumulators
 * are named locals because C2 does not keep arrays of vectors in registers.
 */
final class MatMulKernel {
  /** Outputs of a tile. */
  static final int WIDTH = 4 * COUNT;

  private static final long VECTOR = COUNT * Float.BYTES;
  private static final long ROW = 4 * VECTOR;

  private MatMulKernel() {}

  /**
   * {@code y[0..WIDTH) += x[0..depth) * w}.
   *
   * @param x activations from {@code xAt} on
   * @param w (depth, WIDTH) from {@code at} on, outside the heap
   * @param y sums from {@code yAt} on
   */
  static void row(float[] x, int xAt, MemorySegment w, long at, int depth, float[] y, int yAt) {
    FloatVector a0 = FloatVector.fromArray(SPECIES, y, yAt);
    FloatVector a1 = FloatVector.fromArray(SPECIES, y, yAt + COUNT);
    FloatVector a2 = FloatVector.fromArray(SPECIES, y, yAt + 2 * COUNT);
    FloatVector a3 = FloatVector.fromArray(SPECIES, y, yAt + 3 * COUNT);
    for (int k = 0; k < depth; k++) {
      FloatVector b = FloatVector.broadcast(SPECIES, x[xAt + k]);
      a0 = b.fma(FloatVector.fromMemorySegment(SPECIES, w, at + k * ROW, ORDER), a0);
      a1 = b.fma(FloatVector.fromMemorySegment(SPECIES, w, at + k * ROW + VECTOR, ORDER), a1);
      a2 = b.fma(FloatVector.fromMemorySegment(SPECIES, w, at + k * ROW + 2 * VECTOR, ORDER), a2);
      a3 = b.fma(FloatVector.fromMemorySegment(SPECIES, w, at + k * ROW + 3 * VECTOR, ORDER), a3);
    }
    a0.intoArray(y, yAt);
    a1.intoArray(y, yAt + COUNT);
    a2.intoArray(y, yAt + 2 * COUNT);
    a3.intoArray(y, yAt + 3 * COUNT);
  }

  /** {@link #row} for four rows, {@code xStride} and {@code yStride} apart. */
  static void fourRows(
      float[] x,
      int xAt,
      int xStride,
      MemorySegment w,
      long at,
      int depth,
      float[] y,
      int yAt,
      int yStride) {
    int y1 = yAt + yStride;
    int y2 = y1 + yStride;
    int y3 = y2 + yStride;
    FloatVector a00 = FloatVector.fromArray(SPECIES, y, yAt);
    FloatVector a01 = FloatVector.fromArray(SPECIES, y, yAt + COUNT);
    FloatVector a02 = FloatVector.fromArray(SPECIES, y, yAt + 2 * COUNT);
    FloatVector a03 = FloatVector.fromArray(SPECIES, y, yAt + 3 * COUNT);
    FloatVector a10 = FloatVector.fromArray(SPECIES, y, y1);
    FloatVector a11 = FloatVector.fromArray(SPECIES, y, y1 + COUNT);
    FloatVector a12 = FloatVector.fromArray(SPECIES, y, y1 + 2 * COUNT);
    FloatVector a13 = FloatVector.fromArray(SPECIES, y, y1 + 3 * COUNT);
    FloatVector a20 = FloatVector.fromArray(SPECIES, y, y2);
    FloatVector a21 = FloatVector.fromArray(SPECIES, y, y2 + COUNT);
    FloatVector a22 = FloatVector.fromArray(SPECIES, y, y2 + 2 * COUNT);
    FloatVector a23 = FloatVector.fromArray(SPECIES, y, y2 + 3 * COUNT);
    FloatVector a30 = FloatVector.fromArray(SPECIES, y, y3);
    FloatVector a31 = FloatVector.fromArray(SPECIES, y, y3 + COUNT);
    FloatVector a32 = FloatVector.fromArray(SPECIES, y, y3 + 2 * COUNT);
    FloatVector a33 = FloatVector.fromArray(SPECIES, y, y3 + 3 * COUNT);
    for (int k = 0; k < depth; k++) {
      FloatVector w0 = FloatVector.fromMemorySegment(SPECIES, w, at + k * ROW, ORDER);
      FloatVector w1 = FloatVector.fromMemorySegment(SPECIES, w, at + k * ROW + VECTOR, ORDER);
      FloatVector w2 = FloatVector.fromMemorySegment(SPECIES, w, at + k * ROW + 2 * VECTOR, ORDER);
      FloatVector w3 = FloatVector.fromMemorySegment(SPECIES, w, at + k * ROW + 3 * VECTOR, ORDER);
      FloatVector b0 = FloatVector.broadcast(SPECIES, x[xAt + k]);
      a00 = b0.fma(w0, a00);
      a01 = b0.fma(w1, a01);
      a02 = b0.fma(w2, a02);
      a03 = b0.fma(w3, a03);
      FloatVector b1 = FloatVector.broadcast(SPECIES, x[xAt + xStride + k]);
      a10 = b1.fma(w0, a10);
      a11 = b1.fma(w1, a11);
      a12 = b1.fma(w2, a12);
      a13 = b1.fma(w3, a13);
      FloatVector b2 = FloatVector.broadcast(SPECIES, x[xAt + 2 * xStride + k]);
      a20 = b2.fma(w0, a20);
      a21 = b2.fma(w1, a21);
      a22 = b2.fma(w2, a22);
      a23 = b2.fma(w3, a23);
      FloatVector b3 = FloatVector.broadcast(SPECIES, x[xAt + 3 * xStride + k]);
      a30 = b3.fma(w0, a30);
      a31 = b3.fma(w1, a31);
      a32 = b3.fma(w2, a32);
      a33 = b3.fma(w3, a33);
    }
    a00.intoArray(y, yAt);
    a01.intoArray(y, yAt + COUNT);
    a02.intoArray(y, yAt + 2 * COUNT);
    a03.intoArray(y, yAt + 3 * COUNT);
    a10.intoArray(y, y1);
    a11.intoArray(y, y1 + COUNT);
    a12.intoArray(y, y1 + 2 * COUNT);
    a13.intoArray(y, y1 + 3 * COUNT);
    a20.intoArray(y, y2);
    a21.intoArray(y, y2 + COUNT);
    a22.intoArray(y, y2 + 2 * COUNT);
    a23.intoArray(y, y2 + 3 * COUNT);
    a30.intoArray(y, y3);
    a31.intoArray(y, y3 + COUNT);
    a32.intoArray(y, y3 + 2 * COUNT);
    a33.intoArray(y, y3 + 3 * COUNT);
  }
}

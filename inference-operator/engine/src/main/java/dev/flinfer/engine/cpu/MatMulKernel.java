package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.Lanes.ORDER;
import static dev.flinfer.engine.cpu.Lanes.SPECIES;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/**
 * The inner loops of the matrix products: a tile of weights times one row, four or eight rows.
 *
 * <p>Lanes are outputs; each output is one chain of fused multiply-adds over k in order, so its
 * bits depend neither on the number of rows nor on the vector width. 8 rows x 2 vectors keep 16
 * chains in registers and read two weights for them; on a Xeon they are 1.4 times as fast as 4 x 4.
 * The accumulators are named locals because C2 does not keep arrays of vectors in registers.
 */
final class MatMulKernel {
  /** Outputs of a tile. */
  static final int WIDTH = 2 * COUNT;

  /** Bytes of a vector of floats. */
  static final long VECTOR = COUNT * Float.BYTES;

  /** Bytes of an input's weights in floats. */
  static final long ROW = 2 * VECTOR;

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
    for (int k = 0; k < depth; k++) {
      FloatVector b = FloatVector.broadcast(SPECIES, x[xAt + k]);
      a0 = b.fma(FloatVector.fromMemorySegment(SPECIES, w, at + k * ROW, ORDER), a0);
      a1 = b.fma(FloatVector.fromMemorySegment(SPECIES, w, at + k * ROW + VECTOR, ORDER), a1);
    }
    a0.intoArray(y, yAt);
    a1.intoArray(y, yAt + COUNT);
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
    int x1 = xAt + xStride;
    int x2 = x1 + xStride;
    int x3 = x2 + xStride;
    int y1 = yAt + yStride;
    int y2 = y1 + yStride;
    int y3 = y2 + yStride;
    FloatVector a00 = FloatVector.fromArray(SPECIES, y, yAt);
    FloatVector a01 = FloatVector.fromArray(SPECIES, y, yAt + COUNT);
    FloatVector a10 = FloatVector.fromArray(SPECIES, y, y1);
    FloatVector a11 = FloatVector.fromArray(SPECIES, y, y1 + COUNT);
    FloatVector a20 = FloatVector.fromArray(SPECIES, y, y2);
    FloatVector a21 = FloatVector.fromArray(SPECIES, y, y2 + COUNT);
    FloatVector a30 = FloatVector.fromArray(SPECIES, y, y3);
    FloatVector a31 = FloatVector.fromArray(SPECIES, y, y3 + COUNT);
    for (int k = 0; k < depth; k++) {
      FloatVector w0 = FloatVector.fromMemorySegment(SPECIES, w, at + k * ROW, ORDER);
      FloatVector w1 = FloatVector.fromMemorySegment(SPECIES, w, at + k * ROW + VECTOR, ORDER);
      FloatVector b0 = FloatVector.broadcast(SPECIES, x[xAt + k]);
      a00 = b0.fma(w0, a00);
      a01 = b0.fma(w1, a01);
      FloatVector b1 = FloatVector.broadcast(SPECIES, x[x1 + k]);
      a10 = b1.fma(w0, a10);
      a11 = b1.fma(w1, a11);
      FloatVector b2 = FloatVector.broadcast(SPECIES, x[x2 + k]);
      a20 = b2.fma(w0, a20);
      a21 = b2.fma(w1, a21);
      FloatVector b3 = FloatVector.broadcast(SPECIES, x[x3 + k]);
      a30 = b3.fma(w0, a30);
      a31 = b3.fma(w1, a31);
    }
    a00.intoArray(y, yAt);
    a01.intoArray(y, yAt + COUNT);
    a10.intoArray(y, y1);
    a11.intoArray(y, y1 + COUNT);
    a20.intoArray(y, y2);
    a21.intoArray(y, y2 + COUNT);
    a30.intoArray(y, y3);
    a31.intoArray(y, y3 + COUNT);
  }

  /** {@link #row} for eight rows, {@code xStride} and {@code yStride} apart. */
  static void eightRows(
      float[] x,
      int xAt,
      int xStride,
      MemorySegment w,
      long at,
      int depth,
      float[] y,
      int yAt,
      int yStride) {
    int x1 = xAt + xStride;
    int x2 = x1 + xStride;
    int x3 = x2 + xStride;
    int x4 = x3 + xStride;
    int x5 = x4 + xStride;
    int x6 = x5 + xStride;
    int x7 = x6 + xStride;
    int y1 = yAt + yStride;
    int y2 = y1 + yStride;
    int y3 = y2 + yStride;
    int y4 = y3 + yStride;
    int y5 = y4 + yStride;
    int y6 = y5 + yStride;
    int y7 = y6 + yStride;
    FloatVector a00 = FloatVector.fromArray(SPECIES, y, yAt);
    FloatVector a01 = FloatVector.fromArray(SPECIES, y, yAt + COUNT);
    FloatVector a10 = FloatVector.fromArray(SPECIES, y, y1);
    FloatVector a11 = FloatVector.fromArray(SPECIES, y, y1 + COUNT);
    FloatVector a20 = FloatVector.fromArray(SPECIES, y, y2);
    FloatVector a21 = FloatVector.fromArray(SPECIES, y, y2 + COUNT);
    FloatVector a30 = FloatVector.fromArray(SPECIES, y, y3);
    FloatVector a31 = FloatVector.fromArray(SPECIES, y, y3 + COUNT);
    FloatVector a40 = FloatVector.fromArray(SPECIES, y, y4);
    FloatVector a41 = FloatVector.fromArray(SPECIES, y, y4 + COUNT);
    FloatVector a50 = FloatVector.fromArray(SPECIES, y, y5);
    FloatVector a51 = FloatVector.fromArray(SPECIES, y, y5 + COUNT);
    FloatVector a60 = FloatVector.fromArray(SPECIES, y, y6);
    FloatVector a61 = FloatVector.fromArray(SPECIES, y, y6 + COUNT);
    FloatVector a70 = FloatVector.fromArray(SPECIES, y, y7);
    FloatVector a71 = FloatVector.fromArray(SPECIES, y, y7 + COUNT);
    for (int k = 0; k < depth; k++) {
      FloatVector w0 = FloatVector.fromMemorySegment(SPECIES, w, at + k * ROW, ORDER);
      FloatVector w1 = FloatVector.fromMemorySegment(SPECIES, w, at + k * ROW + VECTOR, ORDER);
      FloatVector b0 = FloatVector.broadcast(SPECIES, x[xAt + k]);
      a00 = b0.fma(w0, a00);
      a01 = b0.fma(w1, a01);
      FloatVector b1 = FloatVector.broadcast(SPECIES, x[x1 + k]);
      a10 = b1.fma(w0, a10);
      a11 = b1.fma(w1, a11);
      FloatVector b2 = FloatVector.broadcast(SPECIES, x[x2 + k]);
      a20 = b2.fma(w0, a20);
      a21 = b2.fma(w1, a21);
      FloatVector b3 = FloatVector.broadcast(SPECIES, x[x3 + k]);
      a30 = b3.fma(w0, a30);
      a31 = b3.fma(w1, a31);
      FloatVector b4 = FloatVector.broadcast(SPECIES, x[x4 + k]);
      a40 = b4.fma(w0, a40);
      a41 = b4.fma(w1, a41);
      FloatVector b5 = FloatVector.broadcast(SPECIES, x[x5 + k]);
      a50 = b5.fma(w0, a50);
      a51 = b5.fma(w1, a51);
      FloatVector b6 = FloatVector.broadcast(SPECIES, x[x6 + k]);
      a60 = b6.fma(w0, a60);
      a61 = b6.fma(w1, a61);
      FloatVector b7 = FloatVector.broadcast(SPECIES, x[x7 + k]);
      a70 = b7.fma(w0, a70);
      a71 = b7.fma(w1, a71);
    }
    a00.intoArray(y, yAt);
    a01.intoArray(y, yAt + COUNT);
    a10.intoArray(y, y1);
    a11.intoArray(y, y1 + COUNT);
    a20.intoArray(y, y2);
    a21.intoArray(y, y2 + COUNT);
    a30.intoArray(y, y3);
    a31.intoArray(y, y3 + COUNT);
    a40.intoArray(y, y4);
    a41.intoArray(y, y4 + COUNT);
    a50.intoArray(y, y5);
    a51.intoArray(y, y5 + COUNT);
    a60.intoArray(y, y6);
    a61.intoArray(y, y6 + COUNT);
    a70.intoArray(y, y7);
    a71.intoArray(y, y7 + COUNT);
  }
}

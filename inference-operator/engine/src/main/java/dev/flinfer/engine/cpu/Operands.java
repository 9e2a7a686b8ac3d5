package dev.flinfer.engine.cpu;

import java.lang.foreign.MemorySegment;

/**
 * What a product reads and adds to.
 *
 * @param x (rows, xStride) activations
 * @param y (rows, yStride) sums
 */
record Operands(float[] x, int xStride, float[] y, int yStride, int rows) {

  /**
   * A tile's product with all rows.
   *
   * @param w (depth, WIDTH) from {@code at} on
   */
  void multiply(MemorySegment w, long at, int depth, int xAt, int yAt) {
    int row = 0;
    for (; row + 8 <= rows; row += 8) {
      MatMulKernel.eightRows(
          x, xAt + row * xStride, xStride, w, at, depth, y, yAt + row * yStride, yStride);
    }
    for (; row + 4 <= rows; row += 4) {
      MatMulKernel.fourRows(
          x, xAt + row * xStride, xStride, w, at, depth, y, yAt + row * yStride, yStride);
    }
    for (; row < rows; row++) {
      MatMulKernel.row(x, xAt + row * xStride, w, at, depth, y, yAt + row * yStride);
    }
  }
}

package dev.flinfer.engine.cpu;

/**
 * The arrays that a product reads and adds to.
 *
 * @param x (rows, xStride) activations
 * @param y (rows, yStride) sums
 */
record Operands(float[] x, int xStride, float[] y, int yStride, int rows) {}

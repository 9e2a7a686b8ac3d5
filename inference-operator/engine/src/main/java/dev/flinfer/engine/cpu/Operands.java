package dev.flinfer.engine.cpu;

/**
 * What a product reads and adds to.
 *
 * @param x (rows, xStride) activations
 * @param y (rows, yStride) sums
 */
record Operands(float[] x, int xStride, float[] y, int yStride, int rows) {}

package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.MatMulKernel.WIDTH;

import dev.flinfer.engine.weights.DType;
import java.lang.foreign.MemorySegment;

/** Products of eight rows without a tile: see {@link BytesEightRows}. */
final class EightRows {
  static final int ROWS = 8;

  private EightRows() {}

  /**
   * Adds the products of {@code depth} inputs with a pair of panels.
   *
   * @param at of the weights that are no codes, {@code other} of those of the second panel
   * @param tile has the codes, or the factors of halves
   * @param xAt of the first row's first input
   * @param yAt of the first row's first output of the pair
   */
  static void multiply(
      DType dtype,
      MemorySegment weights,
      long at,
      long other,
      Tile tile,
      int depth,
      Operands o,
      int xAt,
      int yAt) {
    for (int vector = 0; vector < WIDTH; vector += COUNT) {
      int y = yAt + vector;
      long offset = vector * (long) Short.BYTES; // of halves
      switch (dtype) {
        case F16 ->
            HalvesEightRows.multiplyF16(
                weights, at + offset, other + offset, tile, depth, o, xAt, y);
        case BF16 ->
            HalvesEightRows.multiplyBf16(weights, at + offset, other + offset, depth, o, xAt, y);
        default -> {
          if (dtype.bits() == 4) {
            NibblesEightRows.multiply(tile, vector, depth, o, xAt, y);
          } else {
            BytesEightRows.multiply(tile, vector, depth, o, xAt, y);
          }
        }
      }
    }
  }
}

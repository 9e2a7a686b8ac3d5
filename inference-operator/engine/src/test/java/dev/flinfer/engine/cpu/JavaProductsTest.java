package dev.flinfer.engine.cpu;

import java.lang.foreign.Arena;

final class JavaProductsTest extends MatrixProductsContract {
  @Override
  MatrixProducts open(Arena arena, WorkerTeam team, int maxRows) {
    return new JavaProducts(null, arena, team);
  }

  /** A rounding each input, and some for the weight, the bias and what was there before. */
  @Override
  double tolerance(int inputs) {
    return (inputs + 8) * Math.scalb(1.0, -24);
  }
}

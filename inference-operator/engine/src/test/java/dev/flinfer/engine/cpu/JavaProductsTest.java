package dev.flinfer.engine.cpu;

import java.lang.foreign.Arena;

final class JavaProductsTest extends MatrixProductsContract {
  @Override
  MatrixProducts open(Arena arena, WorkerTeam team, int maxRows) {
    return new JavaProducts(null, arena, team);
  }

  /**
   * Among them some that are subnormal halves, and in a few tiles one that is too large to help.
   */
  @Override
  float[] weightValues(int count) {
    float[] weights = super.weightValues(count);
    for (int i = 0; i < count; i += 7) {
      weights[i] *= 1e-5f;
    }
    for (int i = 20_000; i < count; i += 20_011) {
      weights[i] = 100;
    }
    return weights;
  }

  /** A rounding each input, and some for the weight, the bias and what was there before. */
  @Override
  double tolerance(int inputs) {
    return (inputs + 8) * Math.scalb(1.0, -24);
  }
}

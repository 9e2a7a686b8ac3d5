package dev.flinfer.engine.cpu;

import dev.flinfer.engine.weights.DType;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.Nested;

/** Codes of matrices that no file has: their rows end within a block. */
final class ConvertedProductsTest {

  abstract static class Converted extends MatrixProductsContract {
    private final DType type;
    private final double tolerance;

    Converted(DType type, double tolerance) {
      this.type = type;
      this.tolerance = tolerance;
    }

    @Override
    MatrixProducts open(Arena arena, WorkerTeam team, int maxRows) {
      return new JavaProducts(type, arena, team);
    }

    @Override
    double tolerance(int inputs) {
      return tolerance;
    }
  }

  /** Off by at most half of 1/127 of the largest of a group, about 3 where the mean is 0.8. */
  @Nested
  final class Bytes extends Converted {
    Bytes() {
      super(DType.Q8_0, 0.03);
    }
  }

  /** Half of 1/8 of it, or all of that on the side that has codes to 7 only. */
  @Nested
  final class Nibbles extends Converted {
    Nibbles() {
      super(DType.Q4_0, 0.4);
    }
  }
}

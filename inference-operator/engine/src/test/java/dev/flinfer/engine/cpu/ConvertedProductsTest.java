package dev.flinfer.engine.cpu;

import dev.flinfer.engine.weights.DType;
import java.lang.foreign.Arena;
import org.junit.jupiter.api.Nested;

/** Codes of matrices that no file has: their rows end within a block. */
final class ConvertedProductsTest {

  @Nested
  final class Bytes extends MatrixProductsContract {
    @Override
    MatrixProducts open(Arena arena, WorkerTeam team, int maxRows) {
      return new JavaProducts(DType.Q8_0, arena, team);
    }

    /** Off by at most half of 1/127 of the largest of a group, about 3 where the mean is 0.8. */
    @Override
    double tolerance(int inputs) {
      return 0.03;
    }
  }

  @Nested
  final class Nibbles extends MatrixProductsContract {
    @Override
    MatrixProducts open(Arena arena, WorkerTeam team, int maxRows) {
      return new JavaProducts(DType.Q4_0, arena, team);
    }

    /** Half of 1/8 of it, or all of that on the side that has codes to 7 only. */
    @Override
    double tolerance(int inputs) {
      return 0.4;
    }
  }
}

package dev.flinfer.engine.cpu;

import java.lang.foreign.Arena;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(value = OS.LINUX, architectures = "amd64", disabledReason = "no library for others")
final class DnnlInt8ProductsTest extends MatrixProductsContract {
  @Override
  MatrixProducts open(Arena arena, WorkerTeam team, int maxRows) {
    return DnnlProductsTest.orSkip(() -> new DnnlProducts(new DnnlInt8(), arena, team, maxRows));
  }

  /**
   * Weight and input, normally distributed, are each off by at most half of 1/127 of the largest of
   * their row, about 3.5: 0.008 on average, 0.011 for both. Errors are independent, so that their
   * sum grows with the root of the inputs, and six times that is as good as never exceeded; the
   * terms' sizes are 0.64 each.
   */
  @Override
  double tolerance(int inputs) {
    return 6 * 0.011 / 0.64 / Math.sqrt(inputs);
  }
}

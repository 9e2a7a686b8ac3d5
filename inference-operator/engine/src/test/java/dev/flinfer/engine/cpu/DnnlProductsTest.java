package dev.flinfer.engine.cpu;

import java.lang.foreign.Arena;
import java.util.function.Supplier;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

@EnabledOnOs(value = OS.LINUX, architectures = "amd64", disabledReason = "no library for others")
final class DnnlProductsTest extends MatrixProductsContract {
  @Override
  MatrixProducts open(Arena arena, WorkerTeam team, int maxRows) {
    return orSkip(() -> new DnnlProducts(new DnnlBf16(), arena, team, maxRows));
  }

  /** Skips the test, with the reason, where oneDNN or this processor cannot. */
  static <T> T orSkip(Supplier<T> opener) {
    try {
      return opener.get();
    } catch (IllegalStateException e) {
      return Assumptions.abort(e.getMessage());
    }
  }

  /** Weight and input are each off by up to 1/512 of themselves; the sums are in fp32. */
  @Override
  double tolerance(int inputs) {
    return 2.1 / 512 + (inputs + 8) * Math.scalb(1.0, -24);
  }
}

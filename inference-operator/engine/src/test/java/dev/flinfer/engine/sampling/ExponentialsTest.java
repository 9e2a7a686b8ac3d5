package dev.flinfer.engine.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

final class ExponentialsTest {
  private static final int AT = 3;

  @Test
  void valuesAreThoseOfStrictMathExceptForTheLastBits() {
    Random random = new Random(5);
    for (double spread : new double[] {0.1, 3, 40, 300}) {
      float[] logits = new float[AT + 1000];
      for (int i = AT; i < logits.length; i++) {
        logits[i] = (float) (-spread * random.nextDouble());
      }
      for (double temperature : new double[] {0.3, 1, 2.5}) {
        double[] exponentials = fill(logits, 0, temperature);
        for (int i = 0; i < exponentials.length; i++) {
          double x = logits[AT + i] / temperature;
          // 2^-1000 vanishes next to the most likely token's 1.
          double expected = x < -693 ? 0 : StrictMath.exp(x);
          assertThat(exponentials[i]).isCloseTo(expected, within(1e-15 * expected));
        }
      }
    }
  }

  @Test
  void theGreatestIsOne() {
    assertThat(fill(new float[] {9, 9, 9, 2.5f, 1}, 2.5, 0.7)[0]).isEqualTo(1);
  }

  @Test
  void veryUnlikelyLogitsAndNanGiveZero() {
    float[] logits = {
      9, 9, 9, 0, Float.NEGATIVE_INFINITY, Float.NaN, -800, -Float.MAX_VALUE, Float.MIN_VALUE
    };
    assertThat(fill(logits, 0, 1)).containsExactly(1, 0, 0, 0, 0, 1);
    assertThat(fill(logits, Double.NaN, 1)).containsOnly(0);
  }

  private static double[] fill(float[] logits, double max, double temperature) {
    double[] out = new double[logits.length - AT];
    new Exponentials(out.length).fill(logits, AT, max, temperature, out);
    return out;
  }
}

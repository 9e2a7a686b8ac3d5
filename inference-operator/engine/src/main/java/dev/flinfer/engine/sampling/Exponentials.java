package dev.flinfer.engine.sampling;

/**
 * Exponentials of a row of logits. {@link StrictMath#exp} takes five times as long, because it
 * computes one value at a time, while the compiler vectorizes the loop without branches here. It is
 * as strict: plain additions and multiplications in a fixed order give the same bits on every
 * machine. The method is that of fdlibm's exp, {@code exp(x) = 2^k exp(r)} with a small r, but with
 * a Taylor polynomial. The field is scratch space. Not thread-safe.
 */
final class Exponentials {
  /** Below 2^-1000 a value vanishes next to a 1. */
  private static final int MIN_POWER = 1000;

  private static final double LOG2_E = 0x1.71547652b82fep0;

  /** The upper bits of ln 2, so that a product with k is exact, and the rest. */
  private static final double LN2_HIGH = 0x1.62e42feep-1;

  private static final double LN2_LOW = 0x1.a39ef35793c76p-33;

  /** Adding and subtracting it rounds to a whole number. */
  private static final double ROUNDER = 0x1.8p52;

  private static final double[] NEGATIVE_POWERS = new double[MIN_POWER]; // 2^-i

  static {
    for (int i = 0; i < MIN_POWER; i++) {
      NEGATIVE_POWERS[i] = Math.scalb(1.0, -i);
    }
  }

  private final double[] powers; // (vocab_size)

  Exponentials(int vocab) {
    powers = new double[vocab];
  }

  /**
   * Fills in {@code exp((logit - max) / temperature)}, 0 for NaN.
   *
   * @param logits the row, from {@code at} on
   * @param max the greatest logit
   * @param out (vocab_size), as long as the row
   */
  void fill(float[] logits, int at, double max, double temperature, double[] out) {
    remainders(logits, at, max, temperature, out, powers);
    for (int i = 0; i < out.length; i++) {
      double power = powers[i];
      out[i] = power > -MIN_POWER ? out[i] * NEGATIVE_POWERS[(int) -power] : 0;
    }
  }

  /** {@code exp(r)} and k. The compiler does not vectorize it in parts that stay in the cache. */
  private static void remainders(
      float[] logits, int at, double max, double temperature, double[] out, double[] powers) {
    for (int i = 0; i < out.length; i++) {
      double x = (logits[at + i] - max) / temperature;
      double k = (x * LOG2_E + ROUNDER) - ROUNDER;
      double r = x - k * LN2_HIGH - k * LN2_LOW;
      double high = 1 / 5040.0 + r * (1 / 40320.0 + r * (1 / 362880.0 + r * (1 / 3628800.0)));
      high = high + r * r * r * r * (1 / 39916800.0 + r * (1 / 479001600.0));
      double low = 1 / 6.0 + r * (1 / 24.0 + r * (1 / 120.0 + r * (1 / 720.0 + r * high)));
      out[i] = 1 + (r + r * r * (0.5 + r * low));
      powers[i] = k;
    }
  }
}

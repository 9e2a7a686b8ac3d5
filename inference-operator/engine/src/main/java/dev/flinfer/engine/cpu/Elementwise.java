package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.Lanes.SPECIES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;

/** Operations on one row: norm, activation, exponentials. */
final class Elementwise {
  // exp(x) = 2^n exp(r) with |r| <= ln(2)/2; ln(2) in two parts so that r loses no bits, and the
  // Taylor series of exp to the 7th power, whose error there is below 6e-9: under a tenth of a
  // float's last place.
  private static final float LOG2_E = 1.442695f;
  private static final float LN2_HIGH = 0.6933594f;
  private static final float LN2_LOW = -2.1219444e-4f;

  /** 1.5 * 2^23: adding it leaves the nearest whole number in the low bits. */
  private static final float ROUND = 12582912f;

  private static final float GELU_SCALE = (float) Math.sqrt(2 / Math.PI);
  private static final float GELU_CUBE = 0.044715f;

  private Elementwise() {}

  /**
   * {@code (x - mean) / sqrt(variance + eps) * weight + bias}, mean and variance in doubles.
   *
   * @param x the row from {@code xAt} on
   * @param weight (length), as {@code bias}
   * @param y the result from {@code yAt} on
   */
  static void layerNorm(
      float[] x, int xAt, float[] weight, float[] bias, double eps, float[] y, int yAt) {
    int length = weight.length;
    double sum = 0;
    for (int i = 0; i < length; i++) {
      sum += x[xAt + i];
    }
    double mean = sum / length;
    double squares = 0;
    for (int i = 0; i < length; i++) {
      double d = x[xAt + i] - mean;
      squares += d * d;
    }
    float centre = (float) mean;
    float scale = (float) (1 / Math.sqrt(squares / length + eps));
    for (int i = 0; i < length; i++) {
      y[yAt + i] = (x[xAt + i] - centre) * scale * weight[i] + bias[i];
    }
  }

  /**
   * GELU with the tanh approximation, written with {@code (1 + tanh(u)) / 2 = 1 / (1 + exp(-2u))}.
   *
   * @param x {@code length} values from {@code xAt} on, rounded up to whole vectors
   */
  static void gelu(float[] x, int xAt, int length, float[] y, int yAt) {
    int whole = length - length % COUNT;
    for (int i = 0; i < whole; i += COUNT) {
      gelu(FloatVector.fromArray(SPECIES, x, xAt + i)).intoArray(y, yAt + i);
    }
    if (whole < length) {
      float[] rest = new float[COUNT];
      System.arraycopy(x, xAt + whole, rest, 0, length - whole);
      gelu(FloatVector.fromArray(SPECIES, rest, 0)).intoArray(rest, 0);
      System.arraycopy(rest, 0, y, yAt + whole, length - whole);
    }
  }

  private static FloatVector gelu(FloatVector x) {
    FloatVector cubic = x.mul(x).mul(x).mul(GELU_CUBE).add(x);
    return x.div(exp(cubic.mul(-2 * GELU_SCALE)).add(1f));
  }

  /** {@code x[i] = exp(x[i] - shift)} for whole vectors from {@code at} on. */
  static void exp(float[] x, int at, int length, float shift) {
    for (int i = 0; i < length; i += COUNT) {
      exp(FloatVector.fromArray(SPECIES, x, at + i).sub(shift)).intoArray(x, at + i);
    }
  }

  /** Our own, because {@code lanewise(EXP)} may give other bits before it is compiled. */
  private static FloatVector exp(FloatVector x) {
    FloatVector v = x.max(-87f).min(88f);
    FloatVector shifted = v.mul(LOG2_E).add(ROUND);
    FloatVector n = shifted.sub(ROUND);
    FloatVector r = n.fma(constant(-LN2_HIGH), v);
    r = n.fma(constant(-LN2_LOW), r);
    FloatVector p = constant(1f / 5040);
    p = p.fma(r, constant(1f / 720));
    p = p.fma(r, constant(1f / 120));
    p = p.fma(r, constant(1f / 24));
    p = p.fma(r, constant(1f / 6));
    p = p.fma(r, constant(0.5f));
    p = p.fma(r, constant(1f));
    p = p.fma(r, constant(1f));
    // n is in the low bits of shifted; moved to the exponent it multiplies by 2^n.
    return p.reinterpretAsInts()
        .add(shifted.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23))
        .reinterpretAsFloats();
  }

  private static FloatVector constant(float value) {
    return FloatVector.broadcast(SPECIES, value);
  }
}

package dev.flinfer.engine.weights;

/** Converts floats to the types that weights can be converted to, rounding as GGUF's tools do. */
public final class Quantizer {
  private Quantizer() {}

  /** Rounds to the nearest, ties to even. */
  public static short bf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    return (short) ((bits + 0x7FFF + ((bits >>> 16) & 1)) >>> 16);
  }

  /** Computes the codes of one group in Q8_0 and returns the scale. */
  public static float q8(float[] values, int from, int to, byte[] codes) {
    float largest = 0;
    for (int i = from; i < to; i++) {
      largest = Math.max(largest, Math.abs(values[i]));
    }
    float scale = largest / 127;
    float inverse = scale == 0 ? 0 : 1 / scale;
    for (int i = from; i < to; i++) {
      // C's roundf: halves go away from zero. A branch here would be mispredicted half the time.
      float code = values[i] * inverse;
      codes[i] = (byte) (code + Math.copySign(0.5f, code));
    }
    return half(scale);
  }

  /**
   * Computes the codes of one group in Q4_0, less 8, and returns the scale; the outermost value is
   * exact.
   */
  public static float q4(float[] values, int from, int to, byte[] codes) {
    float outermost = 0;
    for (int i = from; i < to; i++) {
      outermost = Math.abs(values[i]) > Math.abs(outermost) ? values[i] : outermost;
    }
    float scale = outermost / -8;
    float inverse = scale == 0 ? 0 : 1 / scale;
    for (int i = from; i < to; i++) {
      codes[i] = (byte) (Math.min(15, (int) (values[i] * inverse + 8.5f)) - 8);
    }
    return half(scale);
  }

  /** Scales are stored in 16 bits. */
  private static float half(float scale) {
    return Float.float16ToFloat(Float.floatToFloat16(scale));
  }
}

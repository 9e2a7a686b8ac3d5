package dev.flinfer.engine;

import dev.flinfer.engine.weights.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Encodes floats in GGUF's types by their definition, and gives the values that the bytes stand
 * for. Shares no code with the engine. The choice of scales is the simplest that uses the full
 * range of codes, so that every bit of a layout matters.
 */
public final class ReferenceQuants {
  private final DType dtype;
  private final float[] x;
  private final float[] values;
  private final ByteBuffer out;

  /** The format's number of a type. */
  static int number(DType dtype) {
    return switch (dtype) {
      case F32 -> 0;
      case F16 -> 1;
      case Q4_0 -> 2;
      case Q4_1 -> 3;
      case Q5_0 -> 6;
      case Q5_1 -> 7;
      case Q8_0 -> 8;
      case Q4_K -> 12;
      case Q5_K -> 13;
      case Q6_K -> 14;
      case BF16 -> 30;
    };
  }

  /** Encodes {@code x}, whole blocks. */
  public ReferenceQuants(DType dtype, float[] x) {
    this.dtype = dtype;
    this.x = x;
    this.values = new float[x.length];
    int blocks = x.length / dtype.blockSize();
    this.out = ByteBuffer.allocate(blocks * dtype.blockBytes()).order(ByteOrder.LITTLE_ENDIAN);
    for (int block = 0; block < blocks; block++) {
      encode(block * dtype.blockSize());
    }
  }

  /** The blocks in sequence. */
  public byte[] bytes() {
    return out.array();
  }

  /** The values that the bytes stand for. */
  public float[] values() {
    return values;
  }

  private void encode(int at) {
    switch (dtype) {
      case F32 -> {
        out.putFloat(x[at]);
        values[at] = x[at];
      }
      case F16 -> values[at] = fp16(x[at]);
      case BF16 -> {
        // Nearest, ties to even: the remainder of the exact division by the spacing.
        int spacing = 1 << 16;
        int raw = Float.floatToRawIntBits(x[at]);
        int below = raw & -spacing;
        int rest = raw - below;
        boolean up = rest > spacing / 2 || (rest == spacing / 2 && (below & spacing) != 0);
        short bits = (short) ((up ? below + spacing : below) >>> 16);
        out.putShort(bits);
        values[at] = Float.intBitsToFloat(bits << 16);
      }
      case Q8_0 -> q8(at);
      case Q4_0, Q5_0 -> symmetric(at, dtype == DType.Q4_0 ? 4 : 5);
      case Q4_1, Q5_1 -> withMinimum(at, dtype == DType.Q4_1 ? 4 : 5);
      case Q4_K, Q5_K -> k45(at, dtype == DType.Q4_K ? 4 : 5);
      case Q6_K -> k6(at);
    }
  }

  private void q8(int at) {
    float largest = Math.max(max(at, 32), -min(at, 32));
    float d = fp16(largest / 127);
    float inverse = largest == 0 ? 0 : 1 / (largest / 127);
    for (int i = at; i < at + 32; i++) {
      // C's roundf: ties are rounded away from zero.
      int q = (int) Math.copySign(Math.floor(Math.abs(x[i] * inverse) + 0.5f), x[i]);
      out.put((byte) q);
      values[i] = q * d;
    }
  }

  /** {@code (q - zero) * d}: the value of largest magnitude becomes the code 0. */
  private void symmetric(int at, int bits) {
    int zero = 1 << (bits - 1);
    float outermost = 0; // the first of a tie, as in ggml's reference
    for (int i = at; i < at + 32; i++) {
      outermost = Math.abs(x[i]) > Math.abs(outermost) ? x[i] : outermost;
    }
    float inverse = outermost == 0 ? 0 : 1 / (outermost / -zero);
    float d = fp16(outermost / -zero);
    int[] q = new int[32];
    for (int i = 0; i < 32; i++) {
      q[i] = Math.min(2 * zero - 1, (int) (x[at + i] * inverse + (zero + 0.5f)));
      values[at + i] = (q[i] - zero) * d;
    }
    simpleBlock(q, bits);
  }

  /** {@code q * d + m}. */
  private void withMinimum(int at, int bits) {
    float m = fp16(0); // the place of d
    int scaleAt = out.position() - 2;
    float d = (max(at, 32) - min(at, 32)) / ((1 << bits) - 1);
    out.putShort(scaleAt, Float.floatToFloat16(d));
    d = Float.float16ToFloat(Float.floatToFloat16(d));
    m = fp16(min(at, 32));
    int[] q = new int[32];
    for (int i = 0; i < 32; i++) {
      q[i] = clamp(Math.round((x[at + i] - m) / d), (1 << bits) - 1);
      values[at + i] = (float) ((double) q[i] * d + m);
    }
    simpleBlock(q, bits);
  }

  /** Fifth bits in one little-endian word, then element j and j + 16 in a byte. */
  private void simpleBlock(int[] q, int bits) {
    if (bits == 5) {
      int word = 0;
      for (int i = 0; i < 32; i++) {
        word |= (q[i] >> 4) << i;
      }
      out.putInt(word);
    }
    for (int i = 0; i < 16; i++) {
      out.put((byte) ((q[i] & 15) | (q[i + 16] & 15) << 4));
    }
  }

  /** {@code d * scale[g] * q - dmin * minimum[g]}, g of 32 elements. */
  private void k45(int at, int bits) {
    int top = (1 << bits) - 1;
    float[] scale = new float[8];
    float[] minimum = new float[8];
    for (int g = 0; g < 8; g++) {
      minimum[g] = Math.max(0, -min(at + 32 * g, 32));
      scale[g] = (max(at + 32 * g, 32) + minimum[g]) / top;
    }
    float d = fp16(max(scale) / 63);
    float dmin = fp16(max(minimum) / 63);
    int[] s = new int[8];
    int[] m = new int[8];
    int[] q = new int[256];
    for (int i = 0; i < 256; i++) {
      int g = i / 32;
      s[g] = clamp(Math.round(scale[g] / d), 63);
      m[g] = clamp(Math.round(minimum[g] / dmin), 63);
      double step = (double) d * s[g];
      double low = (double) dmin * m[g];
      q[i] = clamp((int) Math.round((x[at + i] + low) / step), top);
      values[at + i] = (float) (step * q[i] - low);
    }
    scalesOfK(s, m);
    if (bits == 5) {
      for (int i = 0; i < 32; i++) {
        int fifth = 0;
        for (int g = 0; g < 8; g++) {
          fifth |= (q[32 * g + i] >> 4) << g;
        }
        out.put((byte) fifth);
      }
    }
    for (int i = 0; i < 128; i++) {
      int low = i / 32 * 64 + i % 32;
      out.put((byte) ((q[low] & 15) | (q[low + 32] & 15) << 4));
    }
  }

  private void scalesOfK(int[] s, int[] m) {
    for (int g = 0; g < 4; g++) {
      out.put((byte) (s[g] | (s[g + 4] >> 4) << 6));
    }
    for (int g = 0; g < 4; g++) {
      out.put((byte) (m[g] | (m[g + 4] >> 4) << 6));
    }
    for (int g = 4; g < 8; g++) {
      out.put((byte) ((s[g] & 15) | (m[g] & 15) << 4));
    }
  }

  /** {@code d * scale[g] * (q - 32)}, g of 16 elements; every other scale is negative. */
  private void k6(int at) {
    float[] scale = new float[16];
    for (int g = 0; g < 16; g++) {
      scale[g] = Math.max(max(at + 16 * g, 16), -min(at + 16 * g, 16)) / 31;
    }
    float d = Float.float16ToFloat(Float.floatToFloat16(max(scale) / 127));
    int[] q = new int[256];
    byte[] s = new byte[16];
    for (int i = 0; i < 256; i++) {
      int g = i / 16;
      s[g] = (byte) (clamp(Math.round(scale[g] / d), 127) * (g % 2 == 0 ? 1 : -1));
      double step = (double) d * s[g];
      q[i] = clamp((int) Math.round(x[at + i] / step) + 32, 63);
      values[at + i] = (float) (step * (q[i] - 32));
    }
    for (int i = 0; i < 128; i++) {
      int low = i / 64 * 128 + i % 64;
      out.put((byte) ((q[low] & 15) | (q[low + 64] & 15) << 4));
    }
    for (int i = 0; i < 64; i++) {
      int first = i / 32 * 128 + i % 32;
      int high = 0;
      for (int j = 0; j < 4; j++) {
        high |= (q[first + 32 * j] >> 4) << (2 * j);
      }
      out.put((byte) high);
    }
    out.put(s);
    fp16(d);
  }

  /** Writes an fp16 value and returns it as rounded. */
  private float fp16(float value) {
    short bits = Float.floatToFloat16(value);
    out.putShort(bits);
    return Float.float16ToFloat(bits);
  }

  private float max(int at, int count) {
    float max = x[at];
    for (int i = at; i < at + count; i++) {
      max = Math.max(max, x[i]);
    }
    return max;
  }

  private float min(int at, int count) {
    float min = x[at];
    for (int i = at; i < at + count; i++) {
      min = Math.min(min, x[i]);
    }
    return min;
  }

  private static float max(float[] values) {
    float max = values[0];
    for (float value : values) {
      max = Math.max(max, value);
    }
    return max;
  }

  private static int clamp(int code, int top) {
    return Math.max(0, Math.min(top, code));
  }
}

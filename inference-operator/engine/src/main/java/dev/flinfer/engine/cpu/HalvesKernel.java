package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.Lanes.ORDER;
import static dev.flinfer.engine.cpu.Lanes.SPECIES;
import static dev.flinfer.engine.cpu.MatMulKernel.WIDTH;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** Products with 16-bit floats of either kind. */
final class HalvesKernel {
  static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(COUNT * Short.SIZE));

  private static final long VECTOR = COUNT * Short.BYTES;

  /** Bytes of an input's weights. */
  static final long ROW = 2 * VECTOR;

  /** 2^112: what the exponent of a half, moved to a float's place, lacks. Exact for all finite. */
  private static final float REBIAS = 0x1p112f;

  /**
   * What makes the smallest half, 2^-24, a normal one, of at least 2^-14. A subnormal half is a
   * subnormal float when it is moved, which a processor multiplies so much slower that one in 400,
   * as in weights of a deviation of 0.02, made products 1.5 to 3 times as slow.
   */
  private static final float NORMAL = 0x1p10f;

  /** Bits of the first half that {@link #NORMAL} times is too large, 64. */
  private static final int TOO_LARGE = 0x5400;

  /** Where a half's fields are after 13 bits up, the sign being extended before. */
  static final int FIELDS = 0x8FFFE000;

  private HalvesKernel() {}

  /**
   * Makes the first {@code count} halves normal, if none is too large for that.
   *
   * @return what they are to be multiplied by after they are moved to a float's place
   */
  static float normalize(short[] halves, int count) {
    for (int i = 0; i < count; i++) {
      if ((halves[i] & 0x7FFF) >= TOO_LARGE) {
        return REBIAS;
      }
    }
    for (int i = 0; i < count; i++) {
      halves[i] = Float.floatToFloat16(Float.float16ToFloat(halves[i]) * NORMAL);
    }
    return REBIAS / NORMAL;
  }

  /** Widens {@code count} finite halves; {@code count} is whole vectors. */
  static void f16(MemorySegment bits, long at, float[] floats, int count) {
    IntVector mask = IntVector.broadcast(Lanes.INTS, FIELDS);
    FloatVector rebias = FloatVector.broadcast(SPECIES, REBIAS);
    for (int i = 0; i < count; i += COUNT) {
      f16(bits, at + i * 2L, mask, rebias).intoArray(floats, i);
    }
  }

  static void unpackF16(MemorySegment bits, long at, int depth, Tile tile) {
    IntVector mask = IntVector.broadcast(Lanes.INTS, FIELDS);
    FloatVector factor = FloatVector.broadcast(SPECIES, tile.factor);
    for (int i = 0; i < depth * WIDTH; i += COUNT) {
      f16(bits, at + i * 2L, mask, factor).intoMemorySegment(tile.wide, i * 4L, ORDER);
    }
  }

  static void unpackBf16(MemorySegment bits, long at, int depth, MemorySegment w) {
    for (int i = 0; i < depth * WIDTH; i += COUNT) {
      bf16(bits, at + i * 2L).intoMemorySegment(w, i * 4L, ORDER);
    }
  }

  /** {@link MatMulKernel#row} of both panels of a pair straight from the halves. */
  static void rowF16(
      MemorySegment bits,
      long at,
      long otherAt,
      Tile tile,
      int depth,
      float[] x,
      int xAt,
      float[] y,
      int yAt) {
    IntVector mask = IntVector.broadcast(Lanes.INTS, FIELDS);
    FloatVector factor = FloatVector.broadcast(SPECIES, tile.factor);
    FloatVector otherFactor = FloatVector.broadcast(SPECIES, tile.other.factor);
    FloatVector a0 = FloatVector.fromArray(SPECIES, y, yAt);
    FloatVector a1 = FloatVector.fromArray(SPECIES, y, yAt + COUNT);
    FloatVector a2 = FloatVector.fromArray(SPECIES, y, yAt + 2 * COUNT);
    FloatVector a3 = FloatVector.fromArray(SPECIES, y, yAt + 3 * COUNT);
    for (int k = 0; k < depth; k++) {
      long from = at + k * ROW;
      long other = otherAt + k * ROW;
      FloatVector b = FloatVector.broadcast(SPECIES, x[xAt + k]);
      a0 = b.fma(f16(bits, from, mask, factor), a0);
      a1 = b.fma(f16(bits, from + VECTOR, mask, factor), a1);
      a2 = b.fma(f16(bits, other, mask, otherFactor), a2);
      a3 = b.fma(f16(bits, other + VECTOR, mask, otherFactor), a3);
    }
    a0.intoArray(y, yAt);
    a1.intoArray(y, yAt + COUNT);
    a2.intoArray(y, yAt + 2 * COUNT);
    a3.intoArray(y, yAt + 3 * COUNT);
  }

  /** {@link MatMulKernel#row} of both panels of a pair straight from the upper halves of floats. */
  static void rowBf16(
      MemorySegment bits,
      long at,
      long otherAt,
      int depth,
      float[] x,
      int xAt,
      float[] y,
      int yAt) {
    FloatVector a0 = FloatVector.fromArray(SPECIES, y, yAt);
    FloatVector a1 = FloatVector.fromArray(SPECIES, y, yAt + COUNT);
    FloatVector a2 = FloatVector.fromArray(SPECIES, y, yAt + 2 * COUNT);
    FloatVector a3 = FloatVector.fromArray(SPECIES, y, yAt + 3 * COUNT);
    for (int k = 0; k < depth; k++) {
      long from = at + k * ROW;
      long other = otherAt + k * ROW;
      FloatVector b = FloatVector.broadcast(SPECIES, x[xAt + k]);
      a0 = b.fma(bf16(bits, from), a0);
      a1 = b.fma(bf16(bits, from + VECTOR), a1);
      a2 = b.fma(bf16(bits, other), a2);
      a3 = b.fma(bf16(bits, other + VECTOR), a3);
    }
    a0.intoArray(y, yAt);
    a1.intoArray(y, yAt + COUNT);
    a2.intoArray(y, yAt + 2 * COUNT);
    a3.intoArray(y, yAt + 3 * COUNT);
  }

  private static IntVector ints(MemorySegment bits, long at) {
    return (IntVector)
        ShortVector.fromMemorySegment(SHORTS, bits, at, ORDER)
            .convertShape(VectorOperators.S2I, Lanes.INTS, 0);
  }

  static FloatVector bf16(MemorySegment bits, long at) {
    return ints(bits, at).lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }

  /**
   * The sign, exponent and mantissa at their places; the product with a power of 2 keeps the sign.
   *
   * @param mask {@link #FIELDS}, which is slow to make anew for each vector
   */
  static FloatVector f16(MemorySegment bits, long at, IntVector mask, FloatVector factor) {
    return ints(bits, at)
        .lanewise(VectorOperators.LSHL, 13)
        .and(mask)
        .reinterpretAsFloats()
        .mul(factor);
  }
}

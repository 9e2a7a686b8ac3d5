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

  /** 2^112: what the exponent of a half, moved to a float's place, lacks. Exact for all finite. */
  private static final float REBIAS = 0x1p112f;

  private HalvesKernel() {}

  /** Widens {@code count} finite halves; {@code count} is whole vectors. */
  static void f16(MemorySegment bits, long at, float[] floats, int count) {
    for (int i = 0; i < count; i += COUNT) {
      f16(bits, at + i * 2L).intoArray(floats, i);
    }
  }

  static void unpackF16(MemorySegment bits, long at, int depth, MemorySegment w) {
    for (int i = 0; i < depth * WIDTH; i += COUNT) {
      f16(bits, at + i * 2L).intoMemorySegment(w, i * 4L, ORDER);
    }
  }

  static void unpackBf16(MemorySegment bits, long at, int depth, MemorySegment w) {
    for (int i = 0; i < depth * WIDTH; i += COUNT) {
      bf16(bits, at + i * 2L).intoMemorySegment(w, i * 4L, ORDER);
    }
  }

  /** {@link MatMulKernel#row} straight from the halves. */
  static void rowF16(
      MemorySegment bits, long at, int depth, float[] x, int xAt, float[] y, int yAt) {
    FloatVector a0 = FloatVector.fromArray(SPECIES, y, yAt);
    FloatVector a1 = FloatVector.fromArray(SPECIES, y, yAt + COUNT);
    for (int k = 0; k < depth; k++) {
      long from = at + k * 2 * VECTOR;
      FloatVector b = FloatVector.broadcast(SPECIES, x[xAt + k]);
      a0 = b.fma(f16(bits, from), a0);
      a1 = b.fma(f16(bits, from + VECTOR), a1);
    }
    a0.intoArray(y, yAt);
    a1.intoArray(y, yAt + COUNT);
  }

  /** {@link MatMulKernel#row} straight from the upper halves of floats. */
  static void rowBf16(
      MemorySegment bits, long at, int depth, float[] x, int xAt, float[] y, int yAt) {
    FloatVector a0 = FloatVector.fromArray(SPECIES, y, yAt);
    FloatVector a1 = FloatVector.fromArray(SPECIES, y, yAt + COUNT);
    for (int k = 0; k < depth; k++) {
      long from = at + k * 2 * VECTOR;
      FloatVector b = FloatVector.broadcast(SPECIES, x[xAt + k]);
      a0 = b.fma(bf16(bits, from), a0);
      a1 = b.fma(bf16(bits, from + VECTOR), a1);
    }
    a0.intoArray(y, yAt);
    a1.intoArray(y, yAt + COUNT);
  }

  private static IntVector ints(MemorySegment bits, long at) {
    return (IntVector)
        ShortVector.fromMemorySegment(SHORTS, bits, at, ORDER)
            .convertShape(VectorOperators.S2I, Lanes.INTS, 0);
  }

  private static FloatVector bf16(MemorySegment bits, long at) {
    return ints(bits, at).lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
  }

  /** The sign up and down again, the rest into place; the product with 2^112 keeps the sign. */
  private static FloatVector f16(MemorySegment bits, long at) {
    IntVector v = ints(bits, at);
    IntVector sign = v.lanewise(VectorOperators.ASHR, 15).lanewise(VectorOperators.LSHL, 31);
    IntVector rest = v.lanewise(VectorOperators.LSHL, 17).lanewise(VectorOperators.LSHR, 4);
    return rest.or(sign).reinterpretAsFloats().mul(REBIAS);
  }
}

package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.Lanes.SPECIES;
import static dev.flinfer.engine.cpu.MatMulKernel.WIDTH;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Widens a tile of weights to floats. Codes lie so in ints that a shift up and a shift down make a
 * vector of them, whatever its width: lane {@code j} holds those of the outputs {@code j}, {@code
 * COUNT + j}, {@code 2 COUNT + j} and {@code 3 COUNT + j}. All are {@code code * scale + minimum}
 * in one rounding; where a type has no minimum it is 0, or what makes a code signed.
 */
final class UnpackKernel {
  static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, SPECIES.vectorShape());

  private static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(COUNT * Short.SIZE));

  private UnpackKernel() {}

  /** 16-bit floats to floats. */
  static void f16(short[] bits, float[] floats, int count) {
    for (int i = 0; i < count; i++) {
      floats[i] = Float.float16ToFloat(bits[i]);
    }
  }

  /** The upper halves of floats to floats; {@code count} is whole vectors. */
  static void bf16(short[] bits, float[] floats, int count) {
    for (int i = 0; i < count; i += COUNT) {
      IntVector widened =
          (IntVector)
              ShortVector.fromArray(SHORTS, bits, i).convertShape(VectorOperators.S2I, INTS, 0);
      widened.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().intoArray(floats, i);
    }
  }

  /**
   * Signed bytes, an int an input.
   *
   * @param packed (depth, COUNT)
   * @param scales (groups, WIDTH), as {@code minimums}
   * @param group inputs that share a scale
   * @param w (depth, WIDTH)
   */
  static void bytes(
      int[] packed, float[] scales, float[] minimums, int group, int depth, float[] w) {
    for (int k = 0; k < depth; k += group) {
      bytesOfGroup(packed, k, Math.min(depth, k + group), scales, minimums, k / group * WIDTH, w);
    }
  }

  private static void bytesOfGroup(
      int[] packed, int from, int to, float[] scales, float[] minimums, int at, float[] w) {
    FloatVector s0 = FloatVector.fromArray(SPECIES, scales, at);
    FloatVector s1 = FloatVector.fromArray(SPECIES, scales, at + COUNT);
    FloatVector s2 = FloatVector.fromArray(SPECIES, scales, at + 2 * COUNT);
    FloatVector s3 = FloatVector.fromArray(SPECIES, scales, at + 3 * COUNT);
    FloatVector m0 = FloatVector.fromArray(SPECIES, minimums, at);
    FloatVector m1 = FloatVector.fromArray(SPECIES, minimums, at + COUNT);
    FloatVector m2 = FloatVector.fromArray(SPECIES, minimums, at + 2 * COUNT);
    FloatVector m3 = FloatVector.fromArray(SPECIES, minimums, at + 3 * COUNT);
    for (int k = from; k < to; k++) {
      IntVector v = IntVector.fromArray(INTS, packed, k * COUNT);
      widen(v.lanewise(VectorOperators.LSHL, 24).lanewise(VectorOperators.ASHR, 24), s0, m0)
          .intoArray(w, k * WIDTH);
      widen(v.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 24), s1, m1)
          .intoArray(w, k * WIDTH + COUNT);
      widen(v.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 24), s2, m2)
          .intoArray(w, k * WIDTH + 2 * COUNT);
      widen(v.lanewise(VectorOperators.ASHR, 24), s3, m3).intoArray(w, k * WIDTH + 3 * COUNT);
    }
  }

  /**
   * Unsigned nibbles, an int for two inputs: the lower half for the first. With an odd depth one
   * row more is written than there are inputs.
   *
   * @param packed ((depth + 1) / 2, COUNT)
   * @param group even; otherwise as {@link #bytes}
   */
  static void nibbles(
      int[] packed, float[] scales, float[] minimums, int group, int depth, float[] w) {
    for (int k = 0; k < depth; k += group) {
      nibblesOfGroup(packed, k, Math.min(depth, k + group), scales, minimums, k / group * WIDTH, w);
    }
  }

  private static void nibblesOfGroup(
      int[] packed, int from, int to, float[] scales, float[] minimums, int at, float[] w) {
    FloatVector s0 = FloatVector.fromArray(SPECIES, scales, at);
    FloatVector s1 = FloatVector.fromArray(SPECIES, scales, at + COUNT);
    FloatVector s2 = FloatVector.fromArray(SPECIES, scales, at + 2 * COUNT);
    FloatVector s3 = FloatVector.fromArray(SPECIES, scales, at + 3 * COUNT);
    FloatVector m0 = FloatVector.fromArray(SPECIES, minimums, at);
    FloatVector m1 = FloatVector.fromArray(SPECIES, minimums, at + COUNT);
    FloatVector m2 = FloatVector.fromArray(SPECIES, minimums, at + 2 * COUNT);
    FloatVector m3 = FloatVector.fromArray(SPECIES, minimums, at + 3 * COUNT);
    for (int k = from; k < to; k += 2) {
      IntVector v = IntVector.fromArray(INTS, packed, k / 2 * COUNT);
      int first = k * WIDTH;
      widen(nibble(v, 0), s0, m0).intoArray(w, first);
      widen(nibble(v, 4), s1, m1).intoArray(w, first + COUNT);
      widen(nibble(v, 8), s2, m2).intoArray(w, first + 2 * COUNT);
      widen(nibble(v, 12), s3, m3).intoArray(w, first + 3 * COUNT);
      int second = first + WIDTH;
      widen(nibble(v, 16), s0, m0).intoArray(w, second);
      widen(nibble(v, 20), s1, m1).intoArray(w, second + COUNT);
      widen(nibble(v, 24), s2, m2).intoArray(w, second + 2 * COUNT);
      widen(nibble(v, 28), s3, m3).intoArray(w, second + 3 * COUNT);
    }
  }

  /** Two shifts, as {@code and(15)} makes its vector anew each time: a third of the speed. */
  private static IntVector nibble(IntVector v, int shift) {
    return v.lanewise(VectorOperators.LSHL, 28 - shift).lanewise(VectorOperators.LSHR, 28);
  }

  private static FloatVector widen(IntVector codes, FloatVector scale, FloatVector minimum) {
    return ((FloatVector) codes.convert(VectorOperators.I2F, 0)).fma(scale, minimum);
  }
}

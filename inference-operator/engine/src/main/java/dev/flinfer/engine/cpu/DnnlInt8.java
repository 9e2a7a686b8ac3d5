package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.Lanes.ORDER;
import static dev.flinfer.engine.cpu.Lanes.SPECIES;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * W8A8: weights in 8-bit integers with one scale per output, inputs in 8-bit integers with one
 * scale per row, computed when the row is encoded; sums in 32-bit integers, which are exact. Scales
 * are applied here, because oneDNN uses its reference kernel when rows have scales.
 */
final class DnnlInt8 implements DnnlFormat {
  private static final int LARGEST = 127;

  /** 1.5 * 2^23: adding it rounds to a whole number, ties to even, in the low bits. */
  private static final float ROUND = 12582912f;

  private static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(COUNT * Byte.SIZE));

  @Override
  public String name() {
    return "int8";
  }

  @Override
  public int type() {
    return Dnnl.S8;
  }

  @Override
  public int bytes() {
    return Byte.BYTES;
  }

  @Override
  public int sumType() {
    return Dnnl.S32;
  }

  /** The kernels that add products of bytes without saturation. */
  @Override
  public List<String> kernels() {
    return List.of("avx512_core_vnni", "avx10_1_512_amx");
  }

  @Override
  public boolean scalesInputs() {
    return true;
  }

  /** The largest value becomes 127; the scale of a row with NaN or infinity is NaN or infinity. */
  @Override
  public float encode(float[] from, int at, int count, MemorySegment to, long toAt) {
    float largest = largest(from, at, count);
    // Below that the inverse would be infinite, and the values are negligible next to any other.
    float inverse = largest < Float.MIN_NORMAL * LARGEST ? 0 : LARGEST / largest;
    int i = 0;
    for (; i + COUNT <= count; i += COUNT) {
      IntVector codes =
          FloatVector.fromArray(SPECIES, from, at + i).mul(inverse).add(ROUND).reinterpretAsInts();
      ((ByteVector) codes.convertShape(VectorOperators.I2B, BYTES, 0))
          .intoMemorySegment(to, toAt + i, ORDER);
    }
    for (; i < count; i++) {
      byte code = (byte) Float.floatToRawIntBits(from[at + i] * inverse + ROUND);
      to.set(ValueLayout.JAVA_BYTE, toAt + i, code);
    }
    return largest / LARGEST;
  }

  private static float largest(float[] from, int at, int count) {
    FloatVector lanes = FloatVector.zero(SPECIES);
    int i = 0;
    for (; i + COUNT <= count; i += COUNT) {
      lanes = lanes.max(FloatVector.fromArray(SPECIES, from, at + i).abs());
    }
    float largest = lanes.reduceLanes(VectorOperators.MAX);
    for (; i < count; i++) {
      largest = Math.max(largest, Math.abs(from[at + i]));
    }
    return largest;
  }

  @Override
  public void decode(
      MemorySegment sums,
      long sumsAt,
      float scale,
      Slice slice,
      float[] y,
      int yAt,
      Matrix.Outputs outputs) {
    boolean add = outputs == Matrix.Outputs.ADDED_TO;
    int i = 0;
    for (; i + COUNT <= slice.width(); i += COUNT) {
      IntVector codes = IntVector.fromMemorySegment(Lanes.INTS, sums, sumsAt + i * 4L, ORDER);
      FloatVector sum =
          ((FloatVector) codes.convert(VectorOperators.I2F, 0))
              .mul(FloatVector.fromArray(SPECIES, slice.scales(), slice.first() + i))
              .mul(scale)
              .add(FloatVector.fromArray(SPECIES, slice.bias(), slice.first() + i));
      (add ? FloatVector.fromArray(SPECIES, y, yAt + i).add(sum) : sum).intoArray(y, yAt + i);
    }
    for (; i < slice.width(); i++) {
      int output = slice.first() + i;
      float sum =
          sums.get(ValueLayout.JAVA_INT, sumsAt + i * 4L) * slice.scales()[output] * scale
              + slice.bias()[output];
      y[yAt + i] = add ? y[yAt + i] + sum : sum;
    }
  }
}

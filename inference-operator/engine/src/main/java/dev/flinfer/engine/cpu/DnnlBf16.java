package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.Lanes.ORDER;
import static dev.flinfer.engine.cpu.Lanes.SPECIES;

import dev.flinfer.engine.weights.Quantizer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/** Weights and inputs rounded to the nearest bf16, sums in fp32. */
final class DnnlBf16 implements DnnlFormat {

  @Override
  public String name() {
    return "bf16";
  }

  @Override
  public int type() {
    return Dnnl.BF16;
  }

  @Override
  public int bytes() {
    return Short.BYTES;
  }

  @Override
  public int sumType() {
    return Dnnl.F32;
  }

  @Override
  public List<String> kernels() {
    return List.of("avx512_core_bf16", "avx10_1_512_amx");
  }

  @Override
  public boolean scalesInputs() {
    return false;
  }

  /** Ties to even; the scale is 1. */
  @Override
  public float encode(float[] from, int at, int count, MemorySegment to, long toAt) {
    int i = 0;
    for (; i + COUNT <= count; i += COUNT) {
      IntVector bits = FloatVector.fromArray(SPECIES, from, at + i).reinterpretAsInts();
      IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
      IntVector high = bits.add(odd).add(0x7FFF).lanewise(VectorOperators.LSHR, 16);
      ((ShortVector) high.convertShape(VectorOperators.I2S, Lanes.SHORTS, 0))
          .intoMemorySegment(to, toAt + i * 2L, ORDER);
    }
    for (; i < count; i++) {
      to.set(ValueLayout.JAVA_SHORT, toAt + i * 2L, Quantizer.bf16(from[at + i]));
    }
    return 1;
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
      FloatVector sum =
          FloatVector.fromMemorySegment(SPECIES, sums, sumsAt + i * 4L, ORDER)
              .add(FloatVector.fromArray(SPECIES, slice.bias(), slice.first() + i));
      (add ? FloatVector.fromArray(SPECIES, y, yAt + i).add(sum) : sum).intoArray(y, yAt + i);
    }
    for (; i < slice.width(); i++) {
      float sum =
          sums.get(ValueLayout.JAVA_FLOAT, sumsAt + i * 4L) + slice.bias()[slice.first() + i];
      y[yAt + i] = add ? y[yAt + i] + sum : sum;
    }
  }
}

package dev.flinfer.engine.cpu;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** The vectors of this machine, at most 16 floats: a KV block's positions fill whole vectors. */
final class Lanes {
  static final VectorSpecies<Float> SPECIES =
      VectorSpecies.of(
          float.class,
          VectorShape.forBitSize(Math.min(512, FloatVector.SPECIES_PREFERRED.vectorBitSize())));

  static final ByteOrder ORDER = ByteOrder.nativeOrder();

  static final int COUNT = SPECIES.length();

  static final VectorSpecies<Integer> INTS = VectorSpecies.of(int.class, SPECIES.vectorShape());

  static final VectorSpecies<Short> SHORTS =
      VectorSpecies.of(short.class, VectorShape.forBitSize(COUNT * Short.SIZE));

  /** No vector has 32 bits: with four lanes, four bytes more are read than are used. */
  static final VectorSpecies<Byte> BYTES =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, COUNT * Byte.SIZE)));

  private Lanes() {}

  /** The next multiple of {@code unit}. */
  static int roundUp(int length, int unit) {
    return (length + unit - 1) / unit * unit;
  }
}

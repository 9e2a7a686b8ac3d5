package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.Lanes.INTS;
import static dev.flinfer.engine.cpu.Lanes.ORDER;
import static dev.flinfer.engine.cpu.Lanes.SHORTS;
import static dev.flinfer.engine.cpu.Lanes.SPECIES;
import static dev.flinfer.engine.cpu.Panels.WIDTH;

import dev.flinfer.engine.weights.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/** Weights in a 16-bit float format: fp16 or bf16. */
abstract class HalfEncoding extends Encoding {
  private final DType dtype;
  private final int exponent; // all its bits

  private HalfEncoding(
      Kernel kernel, DType dtype, int exponent, int panels, int inputs, Arena arena) {
    super(kernel, Short.SIZE, panels, inputs, arena);
    this.dtype = dtype;
    this.exponent = exponent;
  }

  @Override
  final boolean pack(PanelPacker packer, int lane) {
    short[] bits = packer.bits(dtype);
    boolean finite = true;
    for (int k = 0; k < packer.depth(); k++) {
      finite &= (bits[k] & exponent) != exponent;
      packer.halves[k * WIDTH + lane] = bits[k];
    }
    return finite;
  }

  @Override
  void store(PanelPacker packer, int panel, int k) {
    MemorySegment.copy(
        packer.halves, 0, memory, ValueLayout.JAVA_SHORT, at(panel, k), packer.depth() * WIDTH);
  }

  /** The bits of 16-bit numbers, sign-extended. */
  private static IntVector ints(MemorySegment bits, long at) {
    return (IntVector)
        ShortVector.fromMemorySegment(SHORTS, bits, at, ORDER)
            .convertShape(VectorOperators.S2I, INTS, 0);
  }

  /** The upper halves of floats. */
  static final class Bf16 extends HalfEncoding {

    Bf16(int panels, int inputs, Arena arena) {
      super(new Bf16Kernel(), DType.BF16, 0x7F80, panels, inputs, arena);
    }

    static FloatVector widen(MemorySegment bits, long at) {
      return ints(bits, at).lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats();
    }
  }

  /**
   * fp16. Moved to a float's place, an fp16 value lacks a power of 2 in its exponent, and a product
   * with that is exact. But what is subnormal stays so, and a processor multiplies subnormal floats
   * so much slower that one in 400, as in weights of a deviation of 0.02, made products 1.5 to 3
   * times as slow. So they are packed larger where none of a tile is too large.
   */
  static final class F16 extends HalfEncoding {
    /** 2^112: what the exponent of a half, moved to a float's place, lacks. */
    private static final float REBIAS = 0x1p112f;

    /** What makes the smallest half, 2^-24, a normal one, of at least 2^-14. */
    private static final float NORMAL = 0x1p10f;

    /** Bits of the first fp16 value that {@link #NORMAL} times is too large, 64. */
    private static final int TOO_LARGE = 0x5400;

    /** Where a half's fields are after 13 bits up, the sign being extended before. */
    static final int FIELDS = 0x8FFFE000;

    private final float[] factors; // (panels, tiles)

    F16(int panels, int inputs, Arena arena) {
      super(new F16Kernel(), DType.F16, 0x7C00, panels, inputs, arena);
      this.factors = new float[panels * tiles()];
    }

    @Override
    void store(PanelPacker packer, int panel, int k) {
      factors[factorAt(panel, k)] = normalize(packer.halves, packer.depth() * WIDTH);
      super.store(packer, panel, k);
    }

    @Override
    void locate(int panel, int k, Tile tile) {
      super.locate(panel, k, tile);
      tile.factor = factors[factorAt(panel, k)];
    }

    private int factorAt(int panel, int k) {
      return panel * tiles() + k / Tile.DEPTH;
    }

    private int tiles() {
      return Lanes.roundUp(inputs(), Tile.DEPTH) / Tile.DEPTH;
    }

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

    /**
     * The sign, exponent and mantissa at their places; the product with a power of 2 keeps the
     * sign.
     *
     * @param fields {@link #FIELDS}, which is slow to make anew for each vector
     */
    static FloatVector widen(MemorySegment bits, long at, IntVector fields, FloatVector factor) {
      return ints(bits, at)
          .lanewise(VectorOperators.LSHL, 13)
          .and(fields)
          .reinterpretAsFloats()
          .mul(factor);
    }

    /** Widens {@code count} finite halves that were not made normal; they are whole vectors. */
    static void widen(MemorySegment bits, long at, float[] floats, int count) {
      IntVector fields = IntVector.broadcast(INTS, FIELDS);
      FloatVector rebias = FloatVector.broadcast(SPECIES, REBIAS);
      for (int i = 0; i < count; i += COUNT) {
        widen(bits, at + i * 2L, fields, rebias).intoArray(floats, i);
      }
    }
  }
}

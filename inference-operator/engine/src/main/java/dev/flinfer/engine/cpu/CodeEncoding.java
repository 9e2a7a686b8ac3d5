package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Panels.WIDTH;

import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.QuantizedRun;
import dev.flinfer.engine.weights.Quantizer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Weights as codes: a weight is {@code code * scale + minimum}, rounded once. Groups of inputs
 * share a scale and a minimum.
 */
abstract class CodeEncoding extends Encoding {
  final DType dtype;
  private final Scales scales;
  private final Scales minimums; // empty if the type has none

  private CodeEncoding(Kernel kernel, DType dtype, int bits, int panels, int inputs, Arena arena) {
    super(kernel, bits, panels, inputs, arena);
    this.dtype = dtype;
    // The scales of the k-quants are products that 16 bits do not hold.
    int width = dtype.blockSize() > dtype.groupSize() ? Float.BYTES : Short.BYTES;
    long count = (long) panels * groups(inputs) * WIDTH;
    this.scales = Scales.allocate(arena, count, width);
    this.minimums = Scales.allocate(arena, dtype.hasMinimum() ? count : 0, width);
  }

  /**
   * Scales or minimums, (panels, groups, WIDTH).
   *
   * @param width bytes of one: 2 or 4
   */
  private record Scales(MemorySegment memory, int width) {

    static Scales allocate(Arena arena, long count, int width) {
      return new Scales(NativeMemory.allocate(arena, count * width, "weights"), width);
    }

    /** Stores scales at {@code at} and after it. */
    void store(float[] from, int count, long at) {
      for (int i = 0; i < count; i++) {
        if (width == Float.BYTES) {
          memory.setAtIndex(ValueLayout.JAVA_FLOAT, at + i, from[i]);
        } else {
          memory.setAtIndex(ValueLayout.JAVA_SHORT, at + i, Float.floatToFloat16(from[i]));
        }
      }
    }

    /** Reads scales from {@code at} on; {@code count} is whole vectors. */
    void read(long at, float[] to, int count) {
      if (width == Float.BYTES) {
        MemorySegment.copy(memory, ValueLayout.JAVA_FLOAT, at * width, to, 0, count);
      } else {
        HalfEncoding.F16.widen(memory, at * width, to, count);
      }
    }
  }

  /**
   * A range of an output's weights.
   *
   * @param codes (depth)
   * @param scales (groups)
   * @param minimums (groups)
   */
  private record Stretch(byte[] codes, float[] scales, float[] minimums) {}

  /** Codes of a group of values, from {@code from} to {@code to}; the result is the scale. */
  abstract float quantize(float[] values, int from, int to, byte[] codes);

  /** Puts the codes of {@code depth} inputs of an output into a lane of a packed tile. */
  abstract void pack(byte[] codes, int depth, byte[] packed, int lane);

  /** Sets the tile's minimums where the type has none. */
  abstract void setMinimums(Tile tile, int count);

  @Override
  final boolean pack(PanelPacker packer, int lane) {
    Stretch stretch = packer.isStoredIn(dtype) ? stored(packer) : converted(packer);
    boolean finite = true;
    for (int g = 0; g < groups(packer.depth()); g++) {
      int at = g * WIDTH + lane;
      packer.scales[at] = stretch.scales[g];
      packer.minimums[at] = stretch.minimums[g];
      finite &= Float.isFinite(stretch.scales[g]) && Float.isFinite(stretch.minimums[g]);
    }
    pack(stretch.codes, packer.depth(), packer.packed, lane);
    return finite;
  }

  private static Stretch stored(PanelPacker packer) {
    QuantizedRun run = packer.run();
    return new Stretch(run.codes(), run.scales(), run.minimums());
  }

  private Stretch converted(PanelPacker packer) {
    float[] values = packer.widened();
    int group = dtype.groupSize();
    for (int g = 0; g < groups(packer.depth()); g++) {
      int end = Math.min(packer.depth(), (g + 1) * group);
      packer.ownScales[g] = quantize(values, g * group, end, packer.ownCodes);
    }
    return new Stretch(packer.ownCodes, packer.ownScales, Tile.NO_MINIMUMS);
  }

  @Override
  final void store(PanelPacker packer, int panel, int k) {
    int depth = packer.depth();
    int count = groups(depth) * WIDTH;
    scales.store(packer.scales, count, scalesAt(panel, k));
    if (dtype.hasMinimum()) {
      minimums.store(packer.minimums, count, scalesAt(panel, k));
    }
    MemorySegment.copy(
        packer.packed, 0, memory, ValueLayout.JAVA_BYTE, at(panel, k), (int) bytes(depth));
  }

  /** Points the tile to the codes and widens their scales. */
  @Override
  final void locate(int panel, int k, Tile tile) {
    super.locate(panel, k, tile);
    int count = groups(tile.depth) * WIDTH;
    tile.group = dtype.groupSize();
    scales.read(scalesAt(panel, k), tile.scales, count);
    tile.minimums = tile.ownMinimums;
    if (dtype.hasMinimum()) {
      minimums.read(scalesAt(panel, k), tile.minimums, count);
    } else {
      setMinimums(tile, count);
    }
  }

  private int groups(int depth) {
    return (depth + dtype.groupSize() - 1) / dtype.groupSize();
  }

  private long scalesAt(int panel, int k) {
    return ((long) panel * groups(inputs()) + k / dtype.groupSize()) * WIDTH;
  }

  final IllegalArgumentException notConverted() {
    return new IllegalArgumentException("Nothing is converted to " + dtype);
  }

  /** Signed bytes, also for codes of 5 and 6 bits. */
  static final class Bytes extends CodeEncoding {

    Bytes(DType dtype, int panels, int inputs, Arena arena) {
      super(new ByteKernel(), dtype, Byte.SIZE, panels, inputs, arena);
    }

    @Override
    float quantize(float[] values, int from, int to, byte[] codes) {
      if (dtype != DType.Q8_0) {
        throw notConverted();
      }
      return Quantizer.q8(values, from, to, codes);
    }

    @Override
    void pack(byte[] codes, int depth, byte[] packed, int lane) {
      for (int k = 0; k < depth; k++) {
        packed[k * WIDTH + lane] = codes[k];
      }
    }

    @Override
    void setMinimums(Tile tile, int count) {
      tile.minimums = Tile.NO_MINIMUMS;
    }
  }

  /**
   * Unsigned nibbles, a byte for two inputs of an output, the lower half for the first. The groups
   * of inputs that share a scale are even.
   */
  static final class Nibbles extends CodeEncoding {
    /** What a nibble is above the code in a type without minimum. */
    private static final int ZERO = 8;

    private static final int LOW = 0xF;

    Nibbles(DType dtype, int panels, int inputs, Arena arena) {
      super(new NibbleKernel(), dtype, 4, panels, inputs, arena);
    }

    @Override
    float quantize(float[] values, int from, int to, byte[] codes) {
      if (dtype != DType.Q4_0) {
        throw notConverted();
      }
      return Quantizer.q4(values, from, to, codes);
    }

    @Override
    void pack(byte[] codes, int depth, byte[] packed, int lane) {
      int zero = dtype.hasMinimum() ? 0 : ZERO;
      for (int k = 0; k < depth; k += 2) {
        int pair = codes[k] + zero;
        if (k + 1 < depth) {
          pair |= (codes[k + 1] + zero) << 4;
        }
        packed[k / 2 * WIDTH + lane] = (byte) pair;
      }
    }

    @Override
    void setMinimums(Tile tile, int count) {
      for (int i = 0; i < count; i++) {
        tile.minimums[i] = -ZERO * tile.scales[i];
      }
    }

    @Override
    void row(Tile tile, Operands o, int x0, int y0) {
      super.row(tile, o, x0, y0);
      if (tile.depth % 2 != 0) {
        lastInput(tile, o, x0, y0);
        lastInput(tile.other, o, x0, y0 + WIDTH);
      }
    }

    @Override
    void eightRows(Tile tile, Operands o, int x0, int y0) {
      super.eightRows(tile, o, x0, y0);
      if (tile.depth % 2 != 0) {
        for (int row = 0; row < Panels.EIGHT; row++) {
          int x = x0 + row * o.xStride();
          int y = y0 + row * o.yStride();
          lastInput(tile, o, x, y);
          lastInput(tile.other, o, x, y + WIDTH);
        }
      }
    }

    /** The products with the last of an odd number of inputs, which the kernel leaves out. */
    private static void lastInput(Tile tile, Operands o, int x0, int y0) {
      int k = tile.depth - 1;
      float x = o.x()[x0 + k];
      long at = tile.storedAt + k / 2L * WIDTH;
      int scaleAt = k / tile.group * WIDTH;
      for (int i = 0; i < WIDTH; i++) {
        int code = tile.stored.get(ValueLayout.JAVA_BYTE, at + i) & LOW;
        float weight = Math.fma(code, tile.scales[scaleAt + i], tile.minimums[scaleAt + i]);
        o.y()[y0 + i] = Math.fma(x, weight, o.y()[y0 + i]);
      }
    }
  }
}

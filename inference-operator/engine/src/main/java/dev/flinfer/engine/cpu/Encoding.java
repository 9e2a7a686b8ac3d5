package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Panels.WIDTH;

import dev.flinfer.engine.weights.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * How the weights of one type are stored, and all that depends on it: packing, unpacking, and the
 * products with one row or with eight. A new type is a subclass, listed in {@link #of}, and, if it
 * is read in a new way, a file in src/main/velocity/weights, from which the build generates its
 * kernel.
 */
abstract class Encoding {
  /** With four lanes, reading the last codes also reads the four bytes after them. */
  private static final int BEHIND = 4;

  /**
   * The inner loops, generated from src/main/velocity/Kernel.vm. Products are added to the contents
   * of {@link Operands#y}, those of an output in the order of the inputs.
   */
  interface Kernel {
    /** Widens the weights that the tile points to into {@link Tile#wide}. */
    default void unpack(Tile tile) {}

    /**
     * Multiplies one row by the weights that the tile and {@link Tile#other} point to.
     *
     * @param x0 of the first input in {@link Operands#x}
     * @param y0 of the pair's first output in {@link Operands#y}
     */
    void row(Tile tile, Operands o, int x0, int y0);

    /** {@link #row} for eight rows, of which {@code x0} and {@code y0} are in the first. */
    void eightRows(Tile tile, Operands o, int x0, int y0);
  }

  private final Kernel kernel;
  private final int bits;
  private final int inputs;
  final MemorySegment memory; // (panels, inputs, WIDTH) weights without their scales

  /**
   * Allocates the memory.
   *
   * @param bits bits per weight
   */
  Encoding(Kernel kernel, int bits, int panels, int inputs, Arena arena) {
    this.kernel = kernel;
    this.bits = bits;
    this.inputs = inputs;
    this.memory = NativeMemory.allocate(arena, at(panels, 0) + BEHIND, "weights");
  }

  /** Creates the encoding of a type, with memory for a number of panels. */
  static Encoding of(DType dtype, int panels, int inputs, Arena arena) {
    return switch (dtype) {
      case F32 -> new FloatEncoding(panels, inputs, arena);
      case F16 -> new HalfEncoding.F16(panels, inputs, arena);
      case BF16 -> new HalfEncoding.Bf16(panels, inputs, arena);
      case Q4_0, Q4_1, Q4_K -> new CodeEncoding.Nibbles(dtype, panels, inputs, arena);
      case Q5_0, Q5_1, Q5_K, Q6_K, Q8_0 -> new CodeEncoding.Bytes(dtype, panels, inputs, arena);
    };
  }

  /**
   * Writes a range of an output's weights into a lane of the tile that is being packed.
   *
   * @return whether all are finite
   */
  abstract boolean pack(PanelPacker packer, int lane);

  /** Stores the tile of a panel that begins at input {@code k}, when all its lanes are packed. */
  abstract void store(PanelPacker packer, int panel, int k);

  /** Points the tile to the weights of a panel from input {@code k} on. */
  void locate(int panel, int k, Tile tile) {
    tile.depth = depth(k);
    tile.stored = memory;
    tile.storedAt = at(panel, k);
    tile.wide = tile.own;
    tile.wideAt = 0;
  }

  /** As {@link Kernel#unpack}. */
  final void unpack(Tile tile) {
    kernel.unpack(tile);
  }

  /** As {@link Kernel#row}. */
  void row(Tile tile, Operands o, int x0, int y0) {
    kernel.row(tile, o, x0, y0);
  }

  /** As {@link Kernel#eightRows}. */
  void eightRows(Tile tile, Operands o, int x0, int y0) {
    kernel.eightRows(tile, o, x0, y0);
  }

  final int inputs() {
    return inputs;
  }

  /** Inputs of the tile that begins at {@code k}. */
  final int depth(int k) {
    return Math.min(Tile.DEPTH, inputs - k);
  }

  /** The position of the weights of a panel's input {@code k}. */
  final long at(int panel, int k) {
    return panel * bytes(inputs) + bytes(k);
  }

  /** Bytes that the weights of a number of inputs take in a panel, rounded up. */
  final long bytes(int depth) {
    return ((long) depth * bits + 7) / 8 * WIDTH;
  }
}

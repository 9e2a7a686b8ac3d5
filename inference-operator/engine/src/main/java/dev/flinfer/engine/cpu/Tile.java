package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.MatMulKernel.WIDTH;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A thread's tile of weights, as stored and widened. */
final class Tile {
  /**
   * Most inputs of a tile, whole blocks: 512 x 32 floats are 64 KiB and stay in the L2 cache. With
   * 256 to 1,280 the whole products were as fast, within the noise of a shared machine.
   */
  static final int DEPTH = 512;

  /** The smallest group of inputs that shares a scale. */
  private static final int LEAST_GROUP = 16;

  /** The minimums of types that have none. */
  static final float[] NO_MINIMUMS = new float[DEPTH / LEAST_GROUP * WIDTH];

  static final ThreadLocal<Tile> LOCAL = ThreadLocal.withInitial(() -> new Tile(new Tile(null)));

  final short[] bits = new short[DEPTH * WIDTH]; // (depth, WIDTH) 16-bit floats
  final byte[] packed = new byte[DEPTH * WIDTH]; // codes as BytesKernel and NibblesKernel have them
  final float[] scales = new float[DEPTH / LEAST_GROUP * WIDTH]; // (groups, WIDTH)
  final float[] ownMinimums = new float[DEPTH / LEAST_GROUP * WIDTH]; // (groups, WIDTH)
  final float[] weights = new float[DEPTH * WIDTH]; // (depth, WIDTH)

  /** The weights widened, outside the heap as those that need no widening. */
  final MemorySegment wide = Arena.ofAuto().allocate((DEPTH + 1L) * WIDTH * Float.BYTES, 64);

  // The codes to widen, with the scales above.
  MemorySegment codes;
  long codesAt;
  float[] minimums;
  int group;

  /** What halves are multiplied by: {@link HalvesKernel#normalize}. */
  float factor;

  /** The tile of a pair's other panel; it has none itself. */
  final Tile other;

  private Tile(Tile other) {
    this.other = other;
  }
}

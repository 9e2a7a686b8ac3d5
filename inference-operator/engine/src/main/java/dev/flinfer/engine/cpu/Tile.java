package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Panels.WIDTH;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * One thread's view of a range of inputs of a panel. {@link Encoding#locate} points it to the
 * weights; it has the memory in which they are widened.
 */
final class Tile {
  /**
   * Maximum number of inputs of a tile, in whole blocks: 512 x 32 floats are 64 KiB and stay in the
   * L2 cache. With 256 to 1,280 the whole products were as fast, within the noise of a shared
   * machine.
   */
  static final int DEPTH = 512;

  /** The smallest group of inputs that shares a scale. */
  static final int LEAST_GROUP = 16;

  /** Bytes of an input's weights, widened. */
  static final long WIDE_ROW = WIDTH * (long) Float.BYTES;

  /** The minimums of types that have none. */
  static final float[] NO_MINIMUMS = new float[DEPTH / LEAST_GROUP * WIDTH];

  static final ThreadLocal<Tile> LOCAL = ThreadLocal.withInitial(() -> new Tile(new Tile(null)));

  /** The tile of the pair's other panel; that one has no other. */
  final Tile other;

  int depth; // inputs

  MemorySegment stored; // the weights as they are stored
  long storedAt;

  final float[] scales = new float[DEPTH / LEAST_GROUP * WIDTH]; // (groups, WIDTH)
  final float[] ownMinimums = new float[DEPTH / LEAST_GROUP * WIDTH]; // (groups, WIDTH)
  float[] minimums; // ownMinimums, or those of types without minimums
  int group; // inputs of a group

  float factor; // of fp16 values: see HalfEncoding.F16

  /** Outside the heap, like weights that need no widening. One row more, for odd depths. */
  final MemorySegment own = Arena.ofAuto().allocate((DEPTH + 1L) * WIDE_ROW, 64);

  MemorySegment wide; // (depth, WIDTH) floats
  long wideAt;

  private Tile(Tile other) {
    this.other = other;
  }
}

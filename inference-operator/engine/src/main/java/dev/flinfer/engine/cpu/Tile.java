package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.MatMulKernel.WIDTH;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/** A thread's tile of weights, as stored and widened. */
final class Tile {
  /** Inputs of a tile: 256 x 64 floats are 64 KiB and stay in the L2 cache. Whole blocks. */
  static final int DEPTH = 256;

  /** The smallest group of inputs that shares a scale. */
  private static final int LEAST_GROUP = 16;

  static final ThreadLocal<Tile> LOCAL = ThreadLocal.withInitial(Tile::new);

  final short[] bits = new short[DEPTH * WIDTH]; // (depth, WIDTH) 16-bit floats
  final int[] packed = new int[DEPTH * COUNT]; // codes as BytesKernel and NibblesKernel have them
  final float[] scales = new float[DEPTH / LEAST_GROUP * WIDTH]; // (groups, WIDTH)
  final float[] minimums = new float[DEPTH / LEAST_GROUP * WIDTH]; // (groups, WIDTH)
  final float[] weights = new float[DEPTH * WIDTH]; // (depth, WIDTH)

  /** The weights widened, outside the heap as those that need no widening. */
  final MemorySegment wide = Arena.ofAuto().allocate((DEPTH + 1L) * WIDTH * Float.BYTES, 64);

  // The codes to widen, with the scales and minimums above.
  MemorySegment codes;
  long codesAt;
  int group;
}

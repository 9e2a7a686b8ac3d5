package dev.flinfer.tornado;

import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.StepBuffers;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The values that change from step to step, in one array of integers that is copied to the device
 * once per step: the number of rows, and for each row its token, its position and the index of its
 * block table, followed by the block tables. No size of a step is compiled into a kernel.
 */
final class StepControl {
  /** Index of the number of rows. */
  static final int ROWS = 0;

  /**
   * Index of the first of max_rows tokens, which are followed by max_rows positions and max_rows
   * indexes of block tables.
   */
  static final int TOKENS = 8;

  private final Shape shape;
  private final IntArray array;
  private int used; // elements of block tables

  StepControl(Shape shape, HostMemory memory) {
    this.shape = shape;
    this.array = memory.ints(elements(shape));
  }

  static long elements(Shape shape) {
    return tables(shape.maxRows()) + (long) shape.maxRows() * shape.maxBlocks();
  }

  static int positions(int maxRows) {
    return TOKENS + maxRows;
  }

  /** Index of the first index of a row's block table. */
  static int tablesOf(int maxRows) {
    return TOKENS + 2 * maxRows;
  }

  /** Index of the first block table. */
  static int tables(int maxRows) {
    return TOKENS + 3 * maxRows;
  }

  IntArray array() {
    return array;
  }

  /**
   * Fills the array with a range of a plan's rows.
   *
   * @return the largest position among them
   */
  int fill(StepBuffers plan, int from, int to) {
    int max = shape.maxRows();
    array.set(ROWS, to - from);
    used = tables(max);
    int[] tableOf = new int[plan.blockTables().length];
    int[] blocksOf = longest(plan, from, to);
    int largest = 0;
    for (int row = from; row < to; row++) {
      int sequence = plan.sequences()[row];
      if (tableOf[sequence] == 0) {
        tableOf[sequence] = copyTable(plan.blockTables()[sequence], blocksOf[sequence]);
      }
      int at = row - from;
      array.set(TOKENS + at, plan.tokens()[row]);
      array.set(positions(max) + at, plan.positions()[row]);
      array.set(tablesOf(max) + at, tableOf[sequence]);
      largest = Math.max(largest, plan.positions()[row]);
    }
    return largest;
  }

  /** The number of blocks of each sequence that these rows attend to. */
  private static int[] longest(StepBuffers plan, int from, int to) {
    int[] blocks = new int[plan.blockTables().length];
    for (int row = from; row < to; row++) {
      int sequence = plan.sequences()[row];
      int block = plan.positions()[row] / ForwardPass.BLOCK_SIZE + 1;
      blocks[sequence] = Math.max(blocks[sequence], block);
    }
    return blocks;
  }

  private int copyTable(int[] table, int count) {
    int at = used;
    for (int i = 0; i < count; i++) {
      array.set(at + i, table[i]);
    }
    used += count;
    return at;
  }
}

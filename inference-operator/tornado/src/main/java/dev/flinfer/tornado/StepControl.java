package dev.flinfer.tornado;

import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.StepBuffers;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What changes from step to step, in one array of integers that is copied to the device once a
 * step: how many rows there are, and for each its token, its position and where its block table
 * lies. No size of a step is compiled into a kernel.
 */
final class StepControl {
  /** Where the number of rows stands. */
  static final int ROWS = 0;

  /**
   * Where the tokens begin, max_rows of them; then as many positions, then as many places of block
   * tables.
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

  /** Where the places of the rows' block tables begin. */
  static int tablesOf(int maxRows) {
    return TOKENS + 2 * maxRows;
  }

  /** Where the block tables begin. */
  static int tables(int maxRows) {
    return TOKENS + 3 * maxRows;
  }

  IntArray array() {
    return array;
  }

  /**
   * Takes in rows of a plan.
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

  /** Blocks of each sequence that these rows reach. */
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

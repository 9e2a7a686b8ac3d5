package dev.flinfer.tornado;

import dev.flinfer.engine.device.StepBuffers;
import dev.flinfer.engine.device.TopLogits;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The rows of a step for which the output is computed, a few at a time, in one array of integers:
 * their number, the rows, and for each the number of most likely tokens that are enough, 0 for all
 * logits. Rows of which all logits are needed come first, so that those to copy are contiguous.
 */
final class WantedRows {
  private final Shape shape;
  private final IntArray array;
  private int[] order = {}; // (rows) indexes of plan.logitRows()
  private int count; // rows in order
  private int complete; // how many of them, from the first, need all their logits
  private int first; // the row of the plan that is row 0 on the device

  WantedRows(Shape shape, HostMemory memory) {
    this.shape = shape;
    this.array = memory.ints(elements(shape));
  }

  static long elements(Shape shape) {
    return countsAt(shape) + shape.logitRows();
  }

  /** Index of the first number of tokens. The rows are in the place where a step has its tokens. */
  static int countsAt(Shape shape) {
    return StepControl.TOKENS + shape.logitRows();
  }

  IntArray array() {
    return array;
  }

  /**
   * Collects those of a range of a plan's rows.
   *
   * @param top null if all logits of all rows are needed
   * @return their number
   */
  int fill(StepBuffers plan, TopLogits top, int from, int to) {
    int[] rows = plan.logitRows();
    order = new int[rows.length];
    first = from;
    complete = 0;
    count = 0;
    for (int i = 0; i < rows.length; i++) {
      if (rows[i] >= from && rows[i] < to) {
        order[count++] = i;
        if (top == null || top.wanted(i) == 0) {
          order[count - 1] = order[complete];
          order[complete++] = i;
        }
      }
    }
    return count;
  }

  /**
   * Puts the next rows into the array.
   *
   * @param from the number of rows computed so far
   * @return the number of rows in the array
   */
  int put(StepBuffers plan, TopLogits top, int from) {
    int now = Math.min(shape.logitRows(), count - from);
    array.set(StepControl.ROWS, now);
    for (int i = 0; i < now; i++) {
      int row = order[from + i];
      array.set(StepControl.TOKENS + i, plan.logitRows()[row] - first);
      array.set(countsAt(shape) + i, top == null ? 0 : top.wanted(row));
    }
    return now;
  }

  /** The number of rows of which all logits are needed. */
  int complete() {
    return complete;
  }

  /** The index, among the plan's rows of logits, of the {@code i}-th row that is computed. */
  int row(int i) {
    return order[i];
  }
}

package dev.flinfer.tornado;

import dev.flinfer.engine.device.StepBuffers;
import dev.flinfer.engine.device.TopLogits;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Which rows of a step the output is computed of, a few at a time, in one array of integers: their
 * number, the rows, and how many of each one's most likely tokens are enough, 0 for all logits.
 * Rows of which all are wanted come first, so that what is copied lies together.
 */
final class WantedRows {
  private final Shape shape;
  private final IntArray array;
  private int[] order = {}; // (rows) indexes of plan.logitRows()
  private int count; // rows in order
  private int whole; // the first so many of them are wanted whole
  private int first; // the plan's row that is row 0 on the device

  WantedRows(Shape shape, HostMemory memory) {
    this.shape = shape;
    this.array = memory.ints(elements(shape));
  }

  static long elements(Shape shape) {
    return countsAt(shape) + shape.logitRows();
  }

  /** Where the numbers of tokens begin; the rows do where a step has its tokens. */
  static int countsAt(Shape shape) {
    return StepControl.TOKENS + shape.logitRows();
  }

  IntArray array() {
    return array;
  }

  /**
   * Takes in those of some rows of a plan.
   *
   * @param top null if all rows are wanted whole
   * @return how many they are
   */
  int fill(StepBuffers plan, TopLogits top, int from, int to) {
    int[] rows = plan.logitRows();
    order = new int[rows.length];
    first = from;
    whole = 0;
    count = 0;
    for (int i = 0; i < rows.length; i++) {
      if (rows[i] >= from && rows[i] < to) {
        order[count++] = i;
        if (top == null || top.wanted(i) == 0) {
          order[count - 1] = order[whole];
          order[whole++] = i;
        }
      }
    }
    return count;
  }

  /**
   * Puts the next rows into the array.
   *
   * @param from how many were computed before
   * @return how many there are now
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

  /** How many rows are wanted whole. */
  int whole() {
    return whole;
  }

  /** Which of the plan's rows of logits is computed as so many'th. */
  int row(int i) {
    return order[i];
  }
}

package dev.flinfer.engine.batching;

import dev.flinfer.engine.device.StepBuffers;
import java.util.List;

/** Lays out steps in rows. Not thread-safe. */
final class StepLayout {
  private StepBuffers last =
      new StepBuffers(new int[0], new int[0], new int[0], new int[0][], new int[0]);

  /**
   * Lays out a step, the rows of each sequence together, in the order of the step. The next call
   * may overwrite the result, because while sequences decode all steps have the same size.
   */
  StepBuffers of(List<Scheduled> step) {
    int rows = 0;
    int numLogits = 0;
    for (Scheduled scheduled : step) {
      rows += scheduled.tokens();
      numLogits += scheduled.logits();
    }
    StepBuffers buffers = last;
    if (rows != buffers.rows()
        || numLogits != buffers.numLogits()
        || step.size() != buffers.blockTables().length) {
      buffers =
          new StepBuffers(
              new int[rows],
              new int[rows],
              new int[rows],
              new int[step.size()][],
              new int[numLogits]);
      last = buffers;
    }
    int row = 0;
    int logit = 0;
    for (int s = 0; s < step.size(); s++) {
      Scheduled scheduled = step.get(s);
      Sequence sequence = scheduled.sequence();
      buffers.blockTables()[s] = sequence.blocks().blocks();
      int end = scheduled.from() + scheduled.tokens();
      for (int position = scheduled.from(); position < end; position++, row++) {
        buffers.tokens()[row] = sequence.tokens().get(position);
        buffers.positions()[row] = position;
        buffers.sequences()[row] = s;
      }
      for (int left = scheduled.logits(); left > 0; left--) {
        buffers.logitRows()[logit++] = row - left;
      }
    }
    return buffers;
  }
}

package dev.flinfer.tornado;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** The first kernel of a step: looks up the tokens' vectors and resets the count of layers. */
final class EmbedKernel {
  private EmbedKernel() {}

  /**
   * One thread per element. {@code layer} is counted on the device, so that a layer's graph runs
   * repeatedly without a copy: a layer's norm copies cell 1 to cell 0, its attention writes the
   * next layer to cell 1. No kernel reads a cell that it writes.
   *
   * @param embedding (vocab_size, hidden_size)
   * @param hidden (rows, stride)
   */
  static void embed(
      KernelContext context,
      IntArray control,
      IntArray layer,
      FloatArray embedding,
      FloatArray hidden,
      int width,
      int stride) {
    int i = context.globalIdx;
    int row = context.globalIdy;
    if (i == 0 && row == 0) {
      layer.set(1, 0);
    }
    if (row < control.get(StepControl.ROWS) && i < width) {
      int token = control.get(StepControl.TOKENS + row);
      hidden.set(row * stride + i, embedding.get(token * width + i));
    }
  }
}

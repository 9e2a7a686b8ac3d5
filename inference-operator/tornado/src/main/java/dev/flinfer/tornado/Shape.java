package dev.flinfer.tornado;

import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.model.PhiConfig;

/**
 * A model's dimensions as the device sees them: rows are padded to whole panels, so that kernels
 * need no tails.
 *
 * @param maxRows most rows that are computed at once, whole tiles
 * @param logitRows most rows of logits that are computed at once, whole tiles
 * @param kvBlocks blocks of the KV cache
 */
record Shape(PhiConfig config, int maxRows, int logitRows, int kvBlocks) {
  /** Outputs that lie side by side in a weight matrix: a warp of a GPU, two vectors of a CPU. */
  static final int PANEL = 32;

  /** Rows that a kernel multiplies at once; activations have room for whole tiles. */
  static final int TILE = 8;

  /** Positions that one work-group attends to; each split of a context is summed by itself. */
  static final int SPLIT = 256;

  /**
   * Rows of a pass whose grids do not change: they are captured in a CUDA graph, or cuBLAS has the
   * sizes. As many as read the weights once for a decode step of a large batch, and few enough that
   * a step of one row does not pay for what it does not use.
   */
  private static final int FIXED_ROWS = 64;

  /**
   * @param maxRows most rows of a step
   * @param fixed whether each pass over the layers has grids of the same sizes
   */
  static Shape of(PhiConfig config, int maxRows, int kvBlocks, boolean fixed) {
    int rows = roundUp(fixed ? Math.min(maxRows, FIXED_ROWS) : maxRows, TILE);
    return new Shape(config, rows, Math.min(rows, 64), kvBlocks);
  }

  static int roundUp(int value, int multiple) {
    return (value + multiple - 1) / multiple * multiple;
  }

  int layers() {
    return config.numHiddenLayers();
  }

  int heads() {
    return config.numAttentionHeads();
  }

  int headDim() {
    return config.headDim();
  }

  int hidden() {
    return config.hiddenSize();
  }

  int intermediate() {
    return config.intermediateSize();
  }

  /** Length of a row of the residual stream and of the normalised input. */
  int hiddenStride() {
    return roundUp(hidden(), PANEL);
  }

  /** Length of a row of q, k, v and fc1. */
  int projectedStride() {
    return roundUp(3 * hidden() + intermediate(), PANEL);
  }

  /** Length of a row of attention and activation, each padded. */
  int mixedStride() {
    return hiddenStride() + roundUp(intermediate(), PANEL);
  }

  /** Length of a row of logits. */
  int vocabStride() {
    return roundUp(config.vocabSize(), PANEL);
  }

  /** Blocks of the longest context. */
  int maxBlocks() {
    return roundUp(config.maxPositionEmbeddings(), ForwardPass.BLOCK_SIZE) / ForwardPass.BLOCK_SIZE;
  }

  /** Splits of the longest context. */
  int maxSplits() {
    return roundUp(config.maxPositionEmbeddings(), SPLIT) / SPLIT;
  }

  /** Elements of keys, and of values, in one block of all layers. */
  long kvBlockElements() {
    return (long) layers() * hidden() * ForwardPass.BLOCK_SIZE;
  }
}

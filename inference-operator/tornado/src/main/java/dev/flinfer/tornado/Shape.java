package dev.flinfer.tornado;

import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.model.PhiConfig;

/**
 * A model's dimensions on the device: rows are padded to full panels, so that kernels need no code
 * for remainders.
 *
 * @param maxRows maximum number of rows that are computed at once, in full tiles
 * @param logitRows maximum number of rows of logits that are computed at once, in full tiles
 * @param kvBlocks number of blocks in the KV cache
 */
record Shape(PhiConfig config, int maxRows, int logitRows, int kvBlocks) {
  /** Outputs that are adjacent in a weight matrix: a warp of a GPU, two vectors of a CPU. */
  static final int PANEL = 32;

  /** Rows that a kernel multiplies at once; activations have space for full tiles. */
  static final int TILE = 8;

  /** Positions that one work-group attends to; each split of a context is summed separately. */
  static final int SPLIT = 256;

  /**
   * Rows of a pass whose grids do not change because a CUDA graph captures them or cuBLAS needs
   * constant sizes. Enough that a decode step of a large batch reads the weights once, and few
   * enough that the unused rows cost a step of one row little.
   */
  private static final int FIXED_ROWS = 64;

  /**
   * @param maxRows maximum number of rows of a step
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

  /** Length of a row of the residual stream and of the normalized input. */
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

  /** Number of key elements, and of value elements, in one KV block of all layers. */
  long kvBlockElements() {
    return (long) layers() * hidden() * ForwardPass.BLOCK_SIZE;
  }
}

package dev.flinfer.engine.device;

/**
 * The complete forward pass of a model on one device: the only interface between engine and
 * backends.
 *
 * <p>An implementation owns its weights and the storage of its KV cache; the engine decides which
 * block belongs to which sequence. An implementation promises batch invariance: the logits of a row
 * are bit-identical whatever other rows are in the step and however earlier positions were
 * computed.
 *
 * <p>Not thread-safe: one owner thread calls everything except the constructor.
 */
public interface ForwardPass extends AutoCloseable {

  /** The number of positions in a KV block. */
  int BLOCK_SIZE = 16;

  /** The number of blocks that hold the given number of tokens. */
  static int blocksFor(int tokens) {
    return (tokens + BLOCK_SIZE - 1) / BLOCK_SIZE;
  }

  /** The number of token ids: the length of a row of logits. */
  int vocabSize();

  /** The number of KV blocks. */
  int numKvBlocks();

  /** A human-readable description of the device. */
  String device();

  /**
   * Computes the rows of a step, writes their keys and values into the KV blocks of their
   * sequences, and fills in the requested logits.
   *
   * @param logits (step.numLogits(), vocab_size), row-major; may be longer
   */
  void forward(StepBuffers step, float[] logits);

  /**
   * As {@link #forward(StepBuffers, float[])}, but for rows of which {@code top} requests only the
   * most likely tokens, a backend that finds them on its device may return these instead of the
   * logits. The contents of {@code logits} are then undefined for these rows.
   *
   * @param top (step.numLogits() or more rows)
   */
  default void forward(StepBuffers step, float[] logits, TopLogits top) {
    forward(step, logits);
  }

  /** Frees weights and cache. No method may be called afterwards. */
  @Override
  void close();
}

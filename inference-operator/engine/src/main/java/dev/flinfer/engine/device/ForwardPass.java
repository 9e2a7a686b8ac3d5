package dev.flinfer.engine.device;

/**
 * The whole forward pass of a model on one device: the one seam between engine and backends.
 *
 * <p>An implementation owns its weights and the storage of its KV cache; which block belongs to
 * which sequence is the engine's business. It promises batch invariance: the logits of a row are
 * bit-identical whatever other rows are in the plan and however earlier positions were computed.
 *
 * <p>Not thread-safe: one owner thread calls everything but the constructor.
 */
public interface ForwardPass extends AutoCloseable {

  /** Positions in a KV block. */
  int BLOCK_SIZE = 16;

  /** Blocks that hold that many tokens. */
  static int blocksFor(int tokens) {
    return (tokens + BLOCK_SIZE - 1) / BLOCK_SIZE;
  }

  /** Token ids there are: the length of a row of logits. */
  int vocabSize();

  /** KV blocks there are. */
  int numKvBlocks();

  /** What it runs on, for people to read. */
  String device();

  /**
   * Computes the plan's rows, writes their keys and values into the KV blocks of their sequences,
   * and fills in the logits that were asked for.
   *
   * @param logits (plan.numLogits(), vocab_size) row-major; may be longer
   */
  void forward(StepBuffers plan, float[] logits);

  /**
   * As {@link #forward(StepBuffers, float[])}; of the rows of which {@code top} wants no more than
   * the most likely tokens, a backend that finds them on its device may give these in place of the
   * logits. What is in {@code logits} of such a row is then of no meaning.
   *
   * @param top (plan.numLogits() or more rows)
   */
  default void forward(StepBuffers plan, float[] logits, TopLogits top) {
    forward(plan, logits);
  }

  /** Frees weights and cache. Nothing may be called after it. */
  @Override
  void close();
}

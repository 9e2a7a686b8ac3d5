package dev.flinfer.engine.device;

/**
 * The input of one forward pass over a ragged batch: one row per token, the rows of a sequence
 * together and in the order of their positions. A row attends to all positions of its sequence up
 * to its own; these are in KV blocks already or in earlier rows of the same pass, of its own
 * sequence or of another one that shares the block.
 *
 * <p>The arrays are reused: the next step overwrites them. They are valid during one call of {@link
 * ForwardPass#forward} only; a callee that needs them longer must copy them.
 */
public final class StepBuffers {
  private final int[] tokens;
  private final int[] positions;
  private final int[] sequences;
  private final int[][] blockTables;
  private final int[] logitRows;

  /**
   * Creates a step over the given arrays, which are not copied.
   *
   * @param tokens (rows) token ids
   * @param positions (rows) position of each token in its sequence
   * @param sequences (rows) index of each row's sequence in {@code blockTables}
   * @param blockTables (sequences, blocks of the sequence) KV blocks; position p is in block {@code
   *     blockTables[s][p / 16]} at {@code p % 16}
   * @param logitRows (numLogits) the rows whose logits are needed, ascending
   */
  public StepBuffers(
      int[] tokens, int[] positions, int[] sequences, int[][] blockTables, int[] logitRows) {
    this.tokens = tokens;
    this.positions = positions;
    this.sequences = sequences;
    this.blockTables = blockTables;
    this.logitRows = logitRows;
  }

  /** The number of tokens in the step. */
  public int rows() {
    return tokens.length;
  }

  /** The number of rows whose logits are needed. */
  public int numLogits() {
    return logitRows.length;
  }

  /** Token ids, (rows). */
  public int[] tokens() {
    return tokens;
  }

  /** The position of each token in its sequence, (rows). */
  public int[] positions() {
    return positions;
  }

  /** The index of each row's sequence in {@link #blockTables}, (rows). */
  public int[] sequences() {
    return sequences;
  }

  /** The KV blocks of each sequence, (sequences, blocks of the sequence or more). */
  public int[][] blockTables() {
    return blockTables;
  }

  /** The rows whose logits are needed, ascending, (numLogits). */
  public int[] logitRows() {
    return logitRows;
  }
}

package dev.flinfer.engine;

/**
 * One forward pass over a ragged batch: a row a token, rows of a sequence in the order of their
 * positions. A row attends to all positions of its sequence up to its own, which are in KV blocks
 * already or in rows before it: its own sequence's, or those of another one that has the same
 * block.
 *
 * @param tokens (rows) token ids
 * @param positions (rows) position of each token in its sequence
 * @param sequences (rows) index of each row's sequence in {@code blockTables}
 * @param blockTables (sequences, blocks of the sequence) KV blocks; position p lies in block {@code
 *     blockTables[s][p / 16]} at {@code p % 16}
 * @param logitRows (numLogits) the rows whose logits are wanted, ascending
 */
public record StepPlan(
    int[] tokens, int[] positions, int[] sequences, int[][] blockTables, int[] logitRows) {

  public int rows() {
    return tokens.length;
  }

  public int numLogits() {
    return logitRows.length;
  }
}

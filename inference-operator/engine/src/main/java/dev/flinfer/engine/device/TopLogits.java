package dev.flinfer.engine.device;

/**
 * The most likely tokens of rows of logits. A device that can find them itself returns them instead
 * of complete rows of logits.
 *
 * <p>The engine requests with {@link #want} the number of tokens that it needs of a row; a backend
 * that supports it returns them with {@link #put} and {@link #give}. For all other rows the engine
 * needs complete rows of logits.
 */
public final class TopLogits {
  /** Maximum number of tokens of a row: the alternatives that a request may ask for. */
  public static final int MOST = 20;

  private final int[] wanted; // (rows)
  private final boolean[] given; // (rows)
  private final int[] tokens; // (rows, MOST)
  private final float[] logits; // (rows, MOST), descending
  private final float[] sums; // (rows)

  /**
   * @param rows maximum number of rows of logits in a step
   */
  public TopLogits(int rows) {
    wanted = new int[rows];
    given = new boolean[rows];
    tokens = new int[rows * MOST];
    logits = new float[rows * MOST];
    sums = new float[rows];
  }

  /**
   * Requests the most likely tokens of a row, and discards what was returned for it before.
   *
   * @param count the number of tokens that are enough, at most {@link #MOST}; 0 if all logits are
   *     needed
   */
  public void want(int row, int count) {
    wanted[row] = count;
    given[row] = false;
  }

  /** The number of tokens of a row that are enough; 0 if all its logits are needed. */
  public int wanted(int row) {
    return wanted[row];
  }

  /**
   * Sets one of a row's most likely tokens: by descending logit, ties by ascending id.
   *
   * @param rank 0 for the most likely token
   * @param logit its logit; NaN for the first token of a row whose logits are NaN
   */
  public void put(int row, int rank, int token, float logit) {
    tokens[row * MOST + rank] = token;
    logits[row * MOST + rank] = logit;
  }

  /**
   * Marks a row as returned, after all its requested tokens are set.
   *
   * @param sum the sum of {@code exp(logit - largest logit)} over the row
   */
  public void give(int row, float sum) {
    sums[row] = sum;
    given[row] = true;
  }

  /** Whether a row's tokens were returned; otherwise its logits are complete. */
  public boolean given(int row) {
    return given[row];
  }

  /** The token of the given rank. */
  public int token(int row, int rank) {
    return tokens[row * MOST + rank];
  }

  /** The logit of that token. */
  public float logit(int row, int rank) {
    return logits[row * MOST + rank];
  }

  /** The sum of {@code exp(logit - largest logit)} over a row. */
  public float sum(int row) {
    return sums[row];
  }
}

package dev.flinfer.engine.device;

/**
 * Of rows of logits the most likely tokens alone: what a device gives that can find them itself, so
 * that whole rows need not leave it.
 *
 * <p>The engine says with {@link #want} of which rows so many are enough; a backend that can gives
 * them with {@link #give}. Of all other rows whole rows of logits are wanted.
 */
public final class TopLogits {
  /** Most tokens of a row: as many as a request may ask to see, the chosen one among them. */
  public static final int MOST = 20;

  private final int[] wanted; // (rows)
  private final boolean[] given; // (rows)
  private final int[] tokens; // (rows, MOST)
  private final float[] logits; // (rows, MOST), falling
  private final float[] sums; // (rows)

  /**
   * @param rows most rows of logits in a step
   */
  public TopLogits(int rows) {
    wanted = new int[rows];
    given = new boolean[rows];
    tokens = new int[rows * MOST];
    logits = new float[rows * MOST];
    sums = new float[rows];
  }

  /**
   * Asks for a row's most likely tokens, and takes back what was given of it.
   *
   * @param count how many of them are enough, at most {@link #MOST}; 0 if all logits are wanted
   */
  public void want(int row, int count) {
    wanted[row] = count;
    given[row] = false;
  }

  /** How many tokens of a row are enough; 0 if all its logits are wanted. */
  public int wanted(int row) {
    return wanted[row];
  }

  /**
   * Gives the next of a row's most likely tokens: by falling logit, equal ones by rising id.
   *
   * @param rank 0 for the most likely one
   * @param logit may be NaN, as the first of a row that has no numbers
   */
  public void put(int row, int rank, int token, float logit) {
    tokens[row * MOST + rank] = token;
    logits[row * MOST + rank] = logit;
  }

  /**
   * Says that all wanted tokens of a row are put.
   *
   * @param sum of {@code exp(logit - largest logit)} over the row
   */
  public void give(int row, float sum) {
    sums[row] = sum;
    given[row] = true;
  }

  /** Whether a row's tokens are here; else its logits are whole. */
  public boolean given(int row) {
    return given[row];
  }

  /** The token of that rank. */
  public int token(int row, int rank) {
    return tokens[row * MOST + rank];
  }

  /** Its logit. */
  public float logit(int row, int rank) {
    return logits[row * MOST + rank];
  }

  /** Of {@code exp(logit - largest logit)} over a row. */
  public float sum(int row) {
    return sums[row];
  }
}

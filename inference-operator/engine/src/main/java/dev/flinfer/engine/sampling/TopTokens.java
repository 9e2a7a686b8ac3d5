package dev.flinfer.engine.sampling;

import java.util.Arrays;

/**
 * The most likely tokens of a row of logits, by descending logit, ties by ascending id. Each is an
 * entry: a long with the id in its low half, encoded so that ascending longs are in this order.
 */
public final class TopTokens {
  /** A heap reads each logit once; above this fraction of the vocabulary sorting is faster. */
  private static final int HEAP_UP_TO_PART = 16;

  private TopTokens() {}

  /**
   * Returns the entries of the first tokens, (min(count, vocab)).
   *
   * @param logits the row, (vocab_size) from {@code at} on
   */
  public static long[] of(float[] logits, int at, int vocab, int count) {
    boolean heap = count <= vocab / HEAP_UP_TO_PART;
    long[] order = new long[heap ? count : vocab];
    fill(logits, at, vocab, count, order);
    return count < order.length ? Arrays.copyOf(order, count) : order;
  }

  /**
   * Fills in the entries of the first tokens, min(count, vocab).
   *
   * @param logits the row, (vocab_size) from {@code at} on
   * @param order (vocab_size); the elements after the first ones are scratch space
   */
  static void fill(float[] logits, int at, int vocab, int count, long[] order) {
    if (count > vocab / HEAP_UP_TO_PART) {
      for (int i = 0; i < vocab; i++) {
        order[i] = entry(logits[at + i], i);
      }
      Arrays.sort(order, 0, vocab);
    } else {
      fillByHeap(logits, at, vocab, count, order);
    }
  }

  private static void fillByHeap(float[] logits, int at, int vocab, int count, long[] heap) {
    // The last entry in order is at the root.
    for (int i = 0; i < count; i++) {
      heap[i] = entry(logits[at + i], i);
    }
    Arrays.sort(heap, 0, count);
    for (int i = 0; i < count / 2; i++) {
      long swapped = heap[i];
      heap[i] = heap[count - 1 - i];
      heap[count - 1 - i] = swapped;
    }
    for (int i = count; i < vocab; i++) {
      long entry = entry(logits[at + i], i);
      if (entry < heap[0]) {
        replaceRoot(heap, count, entry);
      }
    }
    Arrays.sort(heap, 0, count);
  }

  /** The token of an entry. */
  public static int token(long entry) {
    return (int) entry;
  }

  private static long entry(float logit, int token) {
    int bits = Float.floatToIntBits(logit);
    // As integers the bits of negative floats are in reverse order.
    int ascending = bits ^ (bits >> 31 & Integer.MAX_VALUE);
    return (long) ~ascending << 32 | token;
  }

  private static void replaceRoot(long[] heap, int count, long entry) {
    int at = 0;
    for (int child = 1; child < count; child = 2 * at + 1) {
      if (child + 1 < count && heap[child + 1] > heap[child]) {
        child++;
      }
      if (heap[child] <= entry) {
        break;
      }
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = entry;
  }
}

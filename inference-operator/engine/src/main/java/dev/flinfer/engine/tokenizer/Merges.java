package dev.flinfer.engine.tokenizer;

import java.util.Arrays;

/**
 * The merges of the vocabulary: which two neighboring tokens become which token, and at which rank.
 * An open-addressing table from pairs to (rank, merged token), because it is looked up several
 * times for every byte of every prompt.
 */
final class Merges {
  /** No such pair. Ranks and ids are not negative, so no entry has this value. */
  static final long NONE = -1;

  private final long[] keys; // left << 32 | right
  private final long[] values; // rank << 32 | merged
  private final int shift;

  /**
   * @param expected maximum number of merges that will be put
   */
  Merges(int expected) {
    int bits = Math.max(4, 33 - Integer.numberOfLeadingZeros(expected)); // at most half full
    keys = new long[1 << bits];
    values = new long[1 << bits];
    Arrays.fill(values, NONE);
    shift = Long.SIZE - bits;
  }

  /** Adds a pair and returns true, unless the pair exists already. */
  boolean put(int left, int right, int rank, int merged) {
    int slot = slot(left, right);
    if (values[slot] != NONE) {
      return false;
    }
    keys[slot] = key(left, right);
    values[slot] = ((long) rank << 32) | merged;
    return true;
  }

  /** The rank in the upper half and the merged token in the lower, or {@link #NONE}. */
  long get(int left, int right) {
    return values[slot(left, right)];
  }

  private int slot(int left, int right) {
    long key = key(left, right);
    // Fibonacci hashing: the upper bits of the product depend on all bits of both ids.
    int slot = (int) ((key * 0x9E3779B97F4A7C15L) >>> shift);
    while (values[slot] != NONE && keys[slot] != key) {
      slot = (slot + 1) & (keys.length - 1);
    }
    return slot;
  }

  private static long key(int left, int right) {
    return ((long) left << 32) | right;
  }
}

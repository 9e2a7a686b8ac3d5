package dev.flinfer.engine.tokenizer;

import java.util.Arrays;

/**
 * Merges the bytes of one piece of text: as long as two neighbors can be merged, those of the
 * lowest rank are merged, the leftmost of a tie.
 *
 * <p>Tokens are a doubly linked list in arrays. Candidates are a heap with lazy deletion, as in
 * Hugging Face's Word::merge_all, so that a piece of n bytes takes n log n time: a piece without
 * spaces may be as long as a prompt. Not thread-safe; each call of {@link Tokenizer#encode} has its
 * own encoder.
 */
final class BytePairEncoder {
  private final int[] idOfByte; // (256,)
  private final Merges merges;

  private int[] ids = new int[64]; // token at a position; positions are those of first bytes
  private int[] next = new int[64]; // position of the token to the right, or the length
  private int[] previous = new int[64]; // position of the token to the left, or -1
  private long[] heap = new long[64]; // rank << 32 | position of the left token
  private int heapSize;

  BytePairEncoder(int[] idOfByte, Merges merges) {
    this.idOfByte = idOfByte;
    this.merges = merges;
  }

  /** Appends the tokens of a piece. */
  void encode(byte[] piece, IntList out) {
    int length = piece.length;
    reserve(length);
    for (int i = 0; i < length; i++) {
      ids[i] = idOfByte[piece[i] & 0xFF];
      next[i] = i + 1;
      previous[i] = i - 1;
    }
    for (int i = 0; i + 1 < length; i++) {
      offer(i, length);
    }
    while (heapSize > 0) {
      mergeAt(poll(), length);
    }
    for (int i = 0; i < length; i = next[i]) {
      out.add(ids[i]);
    }
  }

  private void mergeAt(long candidate, int length) {
    int left = (int) candidate;
    int right = next[left];
    // Stale if a neighbor was merged since: then the pair no longer exists or has another rank. A
    // position that was merged into its left neighbor keeps an id of -1, which is in no pair.
    if (right == length || ids[left] < 0) {
      return;
    }
    long merge = merges.get(ids[left], ids[right]);
    if (merge == Merges.NONE || merge >>> 32 != candidate >>> 32) {
      return;
    }
    ids[left] = (int) merge;
    ids[right] = -1;
    next[left] = next[right];
    if (next[left] < length) {
      previous[next[left]] = left;
      offer(left, length);
    }
    if (previous[left] >= 0) {
      offer(previous[left], length);
    }
  }

  private void offer(int left, int length) {
    int right = next[left];
    if (right == length) {
      return;
    }
    long merge = merges.get(ids[left], ids[right]);
    if (merge == Merges.NONE) {
      return;
    }
    if (heapSize == heap.length) {
      heap = Arrays.copyOf(heap, 2 * heapSize);
    }
    long candidate = ((merge >>> 32) << 32) | left;
    int at = heapSize++;
    while (at > 0 && heap[(at - 1) >>> 1] > candidate) {
      heap[at] = heap[(at - 1) >>> 1];
      at = (at - 1) >>> 1;
    }
    heap[at] = candidate;
  }

  private long poll() {
    long first = heap[0];
    long last = heap[--heapSize];
    int at = 0;
    for (int child = 1; child < heapSize; child = 2 * at + 1) {
      if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
        child++;
      }
      if (heap[child] >= last) {
        break;
      }
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
    return first;
  }

  private void reserve(int length) {
    if (length > ids.length) {
      int capacity = Math.max(length, 2 * ids.length);
      ids = new int[capacity];
      next = new int[capacity];
      previous = new int[capacity];
    }
  }
}

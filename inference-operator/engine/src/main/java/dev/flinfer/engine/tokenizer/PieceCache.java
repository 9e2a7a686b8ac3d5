package dev.flinfer.engine.tokenizer;

/**
 * The tokens of pieces of text that were encoded before, since most of a text are words that occur
 * in every text. Each slot has one entry, the last one put. Thread-safe without locks: an entry
 * never changes, and if two are put at the same time, one is lost.
 */
final class PieceCache {
  /** Longer pieces are rare. Bounds the memory, because texts are untrusted. */
  private static final int LONGEST = 32;

  private static final int SLOTS = 1 << 13;

  private final Entry[] entries = new Entry[SLOTS];

  /** Its fields are final, so that another thread sees a complete entry or none. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Entry(String piece, int[] tokens) {}

  /** The tokens of {@code text[from..to)}, which must not be modified; null if not known. */
  int[] get(String text, int from, int to) {
    if (to - from > LONGEST) {
      return null;
    }
    Entry entry = entries[slot(text, from, to)];
    boolean known =
        entry != null && entry.piece.length() == to - from && text.startsWith(entry.piece, from);
    return known ? entry.tokens : null;
  }

  void put(String piece, int[] tokens) {
    if (piece.length() <= LONGEST) {
      entries[slot(piece, 0, piece.length())] = new Entry(piece, tokens);
    }
  }

  private static int slot(String text, int from, int to) {
    int hash = 0;
    for (int i = from; i < to; i++) {
      hash = 31 * hash + text.charAt(i);
    }
    return (hash ^ (hash >>> 16)) & (SLOTS - 1);
  }
}

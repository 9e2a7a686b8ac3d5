package dev.flinfer.engine.batching;

import dev.flinfer.engine.device.ForwardPass;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Map;

/**
 * Who holds which KV block. Blocks are reference-counted; a full block whose content is known stays
 * findable when nobody holds it any more, until its memory is needed: least recently used first.
 *
 * <p>A block's content is all tokens from the sequence's start to the block's end, so it is found
 * by the content before it and its own 16 tokens. Contents are numbered and numbers never used
 * again; comparing them and the tokens is exact where comparing hashes would only be likely.
 */
final class BlockPool {
  /** The content before a sequence's first block. */
  static final long EMPTY = 0;

  private final int[] references; // (blocks)
  private final Content[] contents; // (blocks)
  private final Map<Content, Content> known = new HashMap<>();
  private final ArrayDeque<Integer> blank = new ArrayDeque<>();
  private final LinkedHashSet<Integer> reusable = new LinkedHashSet<>(); // oldest first
  private long lastNumber = EMPTY;

  BlockPool(int blocks) {
    references = new int[blocks];
    contents = new Content[blocks];
    for (int block = 0; block < blocks; block++) {
      contents[block] = new Content(EMPTY, new int[ForwardPass.BLOCK_SIZE], block);
      blank.add(block);
    }
  }

  int total() {
    return references.length;
  }

  /** Blocks that can be had now. */
  int available() {
    return blank.size() + reusable.size();
  }

  int used() {
    return total() - available();
  }

  /** A block for one holder, its content unknown; {@link #available} must not be 0. */
  int allocate() {
    Integer block = blank.poll();
    if (block == null) {
      Iterator<Integer> oldest = reusable.iterator();
      block = oldest.next();
      oldest.remove();
      makeUnknown(contents[block]);
    }
    references[block] = 1;
    return block;
  }

  /**
   * A block that holds these tokens behind this content already, for one more holder.
   *
   * @param before number of the content before it
   * @param tokens (16)
   * @return the block, or -1
   */
  int find(long before, int[] tokens) {
    Content content = known.get(new Content(before, tokens, -1));
    if (content == null) {
      return -1;
    }
    if (references[content.block]++ == 0) {
      reusable.remove(content.block);
    }
    return content.block;
  }

  /** A block that is held already, for one more holder. */
  int share(int block) {
    references[block]++;
    return block;
  }

  /** The number of a block's content, which must be known. */
  long contentOf(int block) {
    return contents[block].number;
  }

  /**
   * Notes the content of a block that is now full and computed.
   *
   * @return the number of the content: this block's, or that of another block with the same tokens
   */
  long seal(int block, long before, int[] tokens) {
    Content content = contents[block];
    content.before = before;
    System.arraycopy(tokens, 0, content.tokens, 0, tokens.length);
    Content same = known.get(content);
    if (same != null) {
      return same.number;
    }
    content.number = ++lastNumber;
    known.put(content, content);
    return content.number;
  }

  /** Has a block be found no more: what it holds is not to be trusted. */
  void forget(int block) {
    if (contents[block].isKnown()) {
      makeUnknown(contents[block]);
      if (reusable.remove(block)) {
        blank.addFirst(block);
      }
    }
  }

  private void makeUnknown(Content content) {
    known.remove(content);
    content.number = EMPTY;
  }

  /** One holder less. */
  void release(int block) {
    if (references[block] <= 0) {
      throw new IllegalStateException("KV block %d is released and has no holder".formatted(block));
    }
    if (--references[block] == 0) {
      if (contents[block].isKnown()) {
        reusable.add(block);
      } else {
        blank.addFirst(block);
      }
    }
  }

  /** Equal where the same tokens follow the same content. A block has one, also while unknown. */
  private static final class Content {
    final int block;
    long before;
    final int[] tokens; // (16)
    long number = EMPTY; // while it is unknown

    Content(long before, int[] tokens, int block) {
      this.before = before;
      this.tokens = tokens;
      this.block = block;
    }

    boolean isKnown() {
      return number != EMPTY;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Content that
          && before == that.before
          && Arrays.equals(tokens, that.tokens);
    }

    @Override
    public int hashCode() {
      return Long.hashCode(before) * 31 + Arrays.hashCode(tokens);
    }
  }
}

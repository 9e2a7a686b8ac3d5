package dev.flinfer.engine.blocks;

import dev.flinfer.engine.device.ForwardPass;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Map;

/**
 * The KV blocks and their holders. Blocks are reference-counted. A full block whose content is
 * known stays in the prefix cache after its last holder releases it, until its memory is needed;
 * the least recently used block is reused first.
 *
 * <p>A block's content is all tokens from the sequence's start to the block's end, so a block is
 * found by the content before it and its own 16 tokens. Contents are numbered, and a number is
 * never used again; comparing the number and the tokens is exact, while comparing hashes is not.
 */
public final class BlockPool {
  /** The content before a sequence's first block. */
  static final long EMPTY = 0;

  private final int[] references; // (blocks)
  private final Content[] contents; // (blocks)
  private final Map<Content, Content> known = new HashMap<>();
  private final ArrayDeque<Integer> blank = new ArrayDeque<>();
  private final LinkedHashSet<Integer> reusable = new LinkedHashSet<>(); // oldest first
  private long lastNumber = EMPTY;

  public BlockPool(int blocks) {
    references = new int[blocks];
    contents = new Content[blocks];
    for (int block = 0; block < blocks; block++) {
      contents[block] = new Content(EMPTY, new int[ForwardPass.BLOCK_SIZE], block);
      blank.add(block);
    }
  }

  public int total() {
    return references.length;
  }

  /** The number of blocks that can be allocated now. */
  public int available() {
    return blank.size() + reusable.size();
  }

  public int used() {
    return total() - available();
  }

  /** Allocates a block of unknown content for one holder; {@link #available} must not be 0. */
  public int allocate() {
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
   * Finds the block that holds these tokens after this content, and adds a holder to it.
   *
   * @param before number of the content before the block
   * @param tokens (16)
   * @return the block, or -1
   */
  public int find(long before, int[] tokens) {
    Content content = known.get(new Content(before, tokens, -1));
    if (content == null) {
      return -1;
    }
    if (references[content.block]++ == 0) {
      reusable.remove(content.block);
    }
    return content.block;
  }

  /** Adds a holder to a block that has one. */
  public int share(int block) {
    references[block]++;
    return block;
  }

  /** Returns the number of a block's content, which must be known. */
  public long contentOf(int block) {
    return contents[block].number;
  }

  /**
   * Sets the content of a block that is now full and computed.
   *
   * @return the number of the content: this block's, or that of another block with the same content
   */
  public long seal(int block, long before, int[] tokens) {
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

  /** Removes a block from the prefix cache, because what it holds cannot be trusted. */
  public void forget(int block) {
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

  /** Removes a holder. */
  public void release(int block) {
    if (references[block] <= 0) {
      throw new IllegalStateException("KV block %d is released but has no holder".formatted(block));
    }
    if (--references[block] == 0) {
      if (contents[block].isKnown()) {
        reusable.add(block);
      } else {
        blank.addFirst(block);
      }
    }
  }

  /**
   * The content of a block; equal if the same tokens follow the same content. Every block has one
   * of these objects, even while its content is unknown.
   */
  private static final class Content {
    final int block;
    long before;
    final int[] tokens; // (16)
    long number = EMPTY; // EMPTY while the content is unknown

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

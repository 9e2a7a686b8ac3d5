package dev.flinfer.engine.blocks;

import dev.flinfer.engine.device.ForwardPass;
import java.util.Arrays;

/**
 * The KV blocks of a sequence or branch, in the order of its positions, and the number of its
 * tokens whose keys and values are in them. {@link KvCacheManager} fills and empties it. Used on
 * the engine's thread only.
 */
public final class BlockTable {
  private int[] blocks = new int[8]; // the first count of them
  private int count;
  private int computed;
  private int sealed;
  private long content = BlockPool.EMPTY;

  /** The blocks, (count or more); growing replaces the array. */
  public int[] blocks() {
    return blocks;
  }

  public int count() {
    return count;
  }

  public int block(int index) {
    return blocks[index];
  }

  /** The number of tokens that the blocks can hold. */
  public int capacity() {
    return count * ForwardPass.BLOCK_SIZE;
  }

  /** The number of tokens whose keys and values are in the blocks. */
  public int computed() {
    return computed;
  }

  /** The number of blocks, from the first on, whose content the pool knows. */
  public int sealed() {
    return sealed;
  }

  /** The number of the content at the end of the sealed blocks. */
  public long content() {
    return content;
  }

  /** Adds a block whose content is not computed yet. */
  public void add(int block) {
    if (count == blocks.length) {
      blocks = Arrays.copyOf(blocks, 2 * count);
    }
    blocks[count++] = block;
  }

  /** Adds a block that is already computed; all blocks before it must be, too. */
  public void addComputed(int block) {
    add(block);
    computed = capacity();
  }

  /** Counts the next tokens as computed. */
  public void advance(int tokens) {
    computed += tokens;
  }

  /** Notes that the pool knows the content up to the end of the next block. */
  public void seal(long number) {
    sealed++;
    content = number;
  }

  /** Removes the last block. */
  public int removeLast() {
    return blocks[--count];
  }

  /** Empties the table; nothing counts as computed. */
  public void clear() {
    count = 0;
    computed = 0;
    sealed = 0;
    content = BlockPool.EMPTY;
  }
}

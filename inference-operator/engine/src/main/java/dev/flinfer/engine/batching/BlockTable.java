package dev.flinfer.engine.batching;

import dev.flinfer.engine.device.ForwardPass;
import java.util.Arrays;

/**
 * The KV blocks of a sequence or branch, in the order of its positions, and how many of its tokens
 * are computed into them. {@link KvCacheManager} fills and empties it; it belongs to the engine's
 * thread.
 */
final class BlockTable {
  private int[] blocks = new int[8]; // the first count of them
  private int count;
  private int computed;
  private int sealed;
  private long content = BlockPool.EMPTY;

  /** The blocks, (count or more); the array is replaced as it grows. */
  int[] blocks() {
    return blocks;
  }

  int count() {
    return count;
  }

  int block(int index) {
    return blocks[index];
  }

  /** Tokens that the blocks have room for. */
  int capacity() {
    return count * ForwardPass.BLOCK_SIZE;
  }

  /** Tokens whose keys and values are in the blocks. */
  int computed() {
    return computed;
  }

  /** Blocks whose content the pool knows, from the first on. */
  int sealed() {
    return sealed;
  }

  /** The number of the content at the end of the sealed blocks. */
  long content() {
    return content;
  }

  /** Adds a block whose content is not computed yet. */
  void add(int block) {
    if (count == blocks.length) {
      blocks = Arrays.copyOf(blocks, 2 * count);
    }
    blocks[count++] = block;
  }

  /** Adds a block that another sequence has computed; all blocks before it are such. */
  void addComputed(int block) {
    add(block);
    computed = capacity();
  }

  /** The next tokens are computed. */
  void advance(int tokens) {
    computed += tokens;
  }

  /** The pool knows the content up to the end of the next block. */
  void seal(long number) {
    sealed++;
    content = number;
  }

  /** Takes out the last block. */
  int removeLast() {
    return blocks[--count];
  }

  /** Nothing is computed any more; all blocks are given back. */
  void clear() {
    count = 0;
    computed = 0;
    sealed = 0;
    content = BlockPool.EMPTY;
  }
}

package dev.flinfer.engine.batching;

import dev.flinfer.engine.blocks.BlockPool;
import dev.flinfer.engine.blocks.BlockTable;
import dev.flinfer.engine.device.ForwardPass;

/**
 * Moves KV blocks between the pool and sequences: gives a sequence the blocks that the prefix cache
 * has for it, adds the blocks that it fills to the prefix cache, and releases its blocks.
 */
final class KvCacheManager {
  private final boolean prefixCaching;
  private final BlockPool pool;
  private final int[] tokens = new int[ForwardPass.BLOCK_SIZE]; // (16), scratch space

  KvCacheManager(boolean prefixCaching, BlockPool pool) {
    this.prefixCaching = prefixCaching;
    this.pool = pool;
  }

  /** Takes the blocks of the prefix cache that hold the sequence's start. */
  void takeCached(Sequence sequence) {
    if (!prefixCaching) {
      return;
    }
    BlockTable table = sequence.blocks();
    // The last token is always computed, because its logits are needed.
    int findable = (sequence.length() - 1) / ForwardPass.BLOCK_SIZE;
    for (int i = 0; i < findable; i++) {
      sequence.tokens().copy(i * ForwardPass.BLOCK_SIZE, tokens);
      int block = pool.find(table.content(), tokens);
      if (block < 0) {
        break;
      }
      table.addComputed(block);
      table.seal(pool.contentOf(block));
    }
  }

  /** Gives a branch of which nothing is computed the prompt's full blocks. */
  void share(Sequence branch) {
    BlockTable of = branch.root().blocks();
    for (int i = 0; i < sharedBlocks(branch); i++) {
      branch.blocks().addComputed(pool.share(of.block(i)));
    }
  }

  /** Notes that tokens are computed and adds full blocks to the prefix cache. */
  void computed(Scheduled scheduled) {
    Sequence sequence = scheduled.sequence();
    sequence.blocks().advance(scheduled.tokens());
    if (sequence.isBranch()) {
      if (sequence.uncomputed() == 0) {
        free(sequence);
        sequence.root().branches().remove(sequence);
      }
      return;
    }
    seal(sequence);
    if (sequence.choices() != null && sequence.uncomputed() == 0) {
      // Branches have their own blocks for the rest of the prompt; the pool may have no other
      // block.
      while (sequence.blocks().count() > fullPromptBlocks(sequence)) {
        pool.release(sequence.blocks().removeLast());
      }
    }
  }

  private void seal(Sequence sequence) {
    BlockTable table = sequence.blocks();
    while (prefixCaching && (table.sealed() + 1) * ForwardPass.BLOCK_SIZE <= table.computed()) {
      int index = table.sealed();
      sequence.tokens().copy(index * ForwardPass.BLOCK_SIZE, tokens);
      table.seal(pool.seal(table.block(index), table.content(), tokens));
    }
  }

  /** Removes the sequence's blocks from the prefix cache: what they hold cannot be trusted. */
  void forget(Sequence sequence) {
    BlockTable table = sequence.blocks();
    for (int i = 0; i < table.count(); i++) {
      pool.forget(table.block(i));
    }
  }

  /** Frees the blocks of a sequence and of its branches. */
  void freeAll(Sequence sequence) {
    sequence.branches().forEach(this::free);
    free(sequence);
  }

  void free(Sequence sequence) {
    BlockTable table = sequence.blocks();
    // The last block first, so that the start of a prompt, which others may share, is kept longest.
    for (int i = table.count() - 1; i >= 0; i--) {
      pool.release(table.block(i));
    }
    table.clear();
  }

  private static int fullPromptBlocks(Sequence sequence) {
    return sequence.promptTokens() / ForwardPass.BLOCK_SIZE;
  }

  /** The number of full blocks of the prompt that a branch shares. */
  private static int sharedBlocks(Sequence branch) {
    return branch.path().conditional() ? fullPromptBlocks(branch.root()) : 0;
  }
}

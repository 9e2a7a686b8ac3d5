package dev.flinfer.engine;

/**
 * Gives sequences the KV blocks that the prefix cache has for them, notes what they fill, frees.
 */
final class SequenceBlocks {
  private final boolean prefixCaching;
  private final BlockPool pool;
  private final int[] tokens = new int[ForwardPass.BLOCK_SIZE]; // (16), scratch space

  SequenceBlocks(boolean prefixCaching, BlockPool pool) {
    this.prefixCaching = prefixCaching;
    this.pool = pool;
  }

  /** Takes the blocks that are known to hold the sequence's start. */
  void takeCached(Sequence sequence) {
    if (!prefixCaching) {
      return;
    }
    // The last token is always computed: its logits are wanted.
    int findable = (sequence.length() - 1) / ForwardPass.BLOCK_SIZE;
    for (int i = 0; i < findable; i++) {
      sequence.copyBlock(i, tokens);
      int block = pool.find(sequence.sealedContent, tokens);
      if (block < 0) {
        break;
      }
      sequence.addBlock(block);
      sequence.sealedContent = pool.contentOf(block);
    }
    sequence.sealedBlocks = sequence.blockCount;
    sequence.computed = sequence.blockCount * ForwardPass.BLOCK_SIZE;
  }

  /** Tokens of a sequence or branch are computed: full blocks can be found from here on. */
  void computed(Scheduled scheduled) {
    Sequence sequence = scheduled.sequence();
    sequence.computed += scheduled.tokens();
    if (sequence.isBranch()) {
      if (sequence.uncomputed() == 0) {
        free(sequence);
        sequence.root().branches.remove(sequence);
      }
      return;
    }
    seal(sequence);
    if (sequence.choices != null && sequence.uncomputed() == 0) {
      // Branches have the rest of the prompt in blocks of their own; this may be the last one.
      while (sequence.blockCount > sequence.wholePromptBlocks()) {
        pool.release(sequence.blocks[--sequence.blockCount]);
      }
    }
  }

  private void seal(Sequence sequence) {
    while (prefixCaching
        && (sequence.sealedBlocks + 1) * ForwardPass.BLOCK_SIZE <= sequence.computed) {
      int index = sequence.sealedBlocks++;
      sequence.copyBlock(index, tokens);
      sequence.sealedContent = pool.seal(sequence.blocks[index], sequence.sealedContent, tokens);
    }
  }

  /** Has none of the sequence's blocks be found any more: what they hold is not to be trusted. */
  void forget(Sequence sequence) {
    for (int i = 0; i < sequence.blockCount; i++) {
      pool.forget(sequence.blocks[i]);
    }
  }

  /** Frees the blocks of a sequence and of its branches. */
  void freeAll(Sequence sequence) {
    sequence.branches.forEach(this::free);
    free(sequence);
  }

  void free(Sequence sequence) {
    // The last first, so that the start of a prompt, which others may share, is kept longest.
    for (int i = sequence.blockCount - 1; i >= 0; i--) {
      pool.release(sequence.blocks[i]);
    }
    sequence.blockCount = 0;
    sequence.computed = 0;
    sequence.sealedBlocks = 0;
    sequence.sealedContent = BlockPool.EMPTY;
  }
}

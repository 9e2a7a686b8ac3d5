package dev.flinfer.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Decides what the next forward pass computes: first one token of every sequence that is decoding,
 * then prefill chunks, oldest first, up to a number of tokens. Where KV blocks run out the youngest
 * sequence gives its blocks back and is computed again later. Pure: no thread, no clock, no tensor.
 *
 * <p>It cannot deadlock as long as the pool holds one sequence of the greatest length: the oldest
 * sequence is never preempted for another.
 */
final class Scheduler {
  /** A sequence in a step and how many of its tokens the step computes. */
  record Scheduled(Sequence sequence, int tokens) {}

  private final int maxNumSeqs;
  private final int maxNumBatchedTokens;
  private final boolean prefixCaching;
  private final BlockPool pool;
  private final ArrayList<Sequence> running = new ArrayList<>(); // oldest first
  private final ArrayDeque<Sequence> waiting = new ArrayDeque<>();
  private long preemptions;
  private long prefixCacheHits;

  Scheduler(int maxNumSeqs, int maxNumBatchedTokens, boolean prefixCaching, BlockPool pool) {
    this.maxNumSeqs = maxNumSeqs;
    this.maxNumBatchedTokens = maxNumBatchedTokens;
    this.prefixCaching = prefixCaching;
    this.pool = pool;
  }

  void add(Sequence sequence) {
    waiting.add(sequence);
  }

  /** Takes out a sequence that is finished or cancelled. */
  void remove(Sequence sequence) {
    if (running.remove(sequence)) {
      freeBlocks(sequence);
    } else {
      waiting.remove(sequence);
    }
  }

  Collection<Sequence> running() {
    return running;
  }

  Collection<Sequence> waiting() {
    return waiting;
  }

  long preemptions() {
    return preemptions;
  }

  /** Blocks that admitted sequences found in the prefix cache. */
  long prefixCacheHits() {
    return prefixCacheHits;
  }

  /** What the next step computes; empty only when there is no sequence. */
  List<Scheduled> schedule() {
    List<Scheduled> step = new ArrayList<>();
    int budget = maxNumBatchedTokens;
    // Preemption takes from the end of the list, so the index stays right.
    for (int i = 0; i < running.size() && budget > 0; i++) {
      Sequence sequence = running.get(i);
      if (sequence.uncomputed() == 1 && makeRoom(sequence)) {
        step.add(new Scheduled(sequence, 1));
        budget--;
      }
    }
    for (int i = 0; i < running.size() && budget > 0; i++) {
      Sequence sequence = running.get(i);
      if (sequence.uncomputed() > 1) {
        budget -= prefill(sequence, budget, step);
      }
    }
    while (!waiting.isEmpty() && running.size() < maxNumSeqs && budget > 0) {
      Sequence sequence = waiting.peek();
      if (!admit(sequence)) {
        break;
      }
      waiting.poll();
      running.add(sequence);
      budget -= prefill(sequence, budget, step);
    }
    return step;
  }

  /** The forward pass of a step is done: its tokens are computed, full blocks can be found. */
  void computed(List<Scheduled> step) {
    for (Scheduled scheduled : step) {
      Sequence sequence = scheduled.sequence();
      sequence.computed += scheduled.tokens();
      while (prefixCaching
          && (sequence.sealedBlocks + 1) * ForwardPass.BLOCK_SIZE <= sequence.computed) {
        int index = sequence.sealedBlocks++;
        sequence.sealedContent =
            pool.seal(sequence.blocks[index], sequence.sealedContent, sequence.blockTokens(index));
      }
    }
  }

  /** Makes room for one token, if need be at the cost of the youngest; false if that is itself. */
  private boolean makeRoom(Sequence sequence) {
    while (sequence.computed == sequence.blockCount * ForwardPass.BLOCK_SIZE) {
      if (pool.available() > 0) {
        sequence.addBlock(pool.allocate());
      } else {
        Sequence youngest = running.remove(running.size() - 1);
        freeBlocks(youngest);
        waiting.addFirst(youngest);
        preemptions++;
        if (youngest == sequence) {
          return false;
        }
      }
    }
    return true;
  }

  /** Schedules as much of a prefill as budget and blocks allow; returns the tokens. */
  private int prefill(Sequence sequence, int budget, List<Scheduled> step) {
    int tokens = Math.min(sequence.uncomputed(), budget);
    int end = sequence.computed + tokens;
    while (sequence.blockCount * ForwardPass.BLOCK_SIZE < end && pool.available() > 0) {
      sequence.addBlock(pool.allocate());
    }
    tokens = Math.min(end, sequence.blockCount * ForwardPass.BLOCK_SIZE) - sequence.computed;
    if (tokens > 0) {
      step.add(new Scheduled(sequence, tokens));
    }
    return Math.max(tokens, 0);
  }

  /**
   * Gives a waiting sequence the blocks that the prefix cache has for it, if there is room for all
   * its tokens and one more; else it would soon be preempted again.
   */
  private boolean admit(Sequence sequence) {
    int needed = blocksFor(sequence.length() + 1);
    if (prefixCaching) {
      // The last token is always computed: its logits are wanted.
      int findable = (sequence.length() - 1) / ForwardPass.BLOCK_SIZE;
      for (int i = 0; i < findable; i++) {
        int block = pool.find(sequence.sealedContent, sequence.blockTokens(i));
        if (block < 0) {
          break;
        }
        sequence.addBlock(block);
        sequence.sealedContent = pool.contentOf(block);
      }
      sequence.sealedBlocks = sequence.blockCount;
      sequence.computed = sequence.blockCount * ForwardPass.BLOCK_SIZE;
    }
    if (needed - sequence.blockCount > pool.available()) {
      freeBlocks(sequence);
      return false;
    }
    prefixCacheHits += sequence.blockCount;
    if (sequence.cachedTokens < 0) {
      sequence.cachedTokens = Math.min(sequence.computed, sequence.promptLength);
    }
    return true;
  }

  private void freeBlocks(Sequence sequence) {
    // The last first, so that the start of a prompt, which others may share, is kept longest.
    for (int i = sequence.blockCount - 1; i >= 0; i--) {
      pool.release(sequence.blocks[i]);
    }
    sequence.blockCount = 0;
    sequence.computed = 0;
    sequence.sealedBlocks = 0;
    sequence.sealedContent = BlockPool.EMPTY;
  }

  static int blocksFor(int tokens) {
    return (tokens + ForwardPass.BLOCK_SIZE - 1) / ForwardPass.BLOCK_SIZE;
  }
}

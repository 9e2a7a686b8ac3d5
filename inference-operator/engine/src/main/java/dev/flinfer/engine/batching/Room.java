package dev.flinfer.engine.batching;

import dev.flinfer.engine.blocks.BlockPool;
import dev.flinfer.engine.device.ForwardPass;

/**
 * Gives sequences places among the running ones and KV blocks, and preempts others for them. Of
 * several sequences of a request one keeps its place; the others lose theirs first.
 */
final class Room {
  private final int maxNumSeqs;
  private final BlockPool pool;
  private final KvCacheManager kvCache;
  private final Running running;
  private final Waiting waiting;
  private final StepDraft step;
  private int blocksKept;
  private long preemptions;
  private long prefixCacheHits;

  Room(
      int maxNumSeqs,
      BlockPool pool,
      KvCacheManager kvCache,
      Running running,
      Waiting waiting,
      StepDraft step) {
    this.maxNumSeqs = maxNumSeqs;
    this.pool = pool;
    this.kvCache = kvCache;
    this.running = running;
    this.waiting = waiting;
    this.step = step;
  }

  long preemptions() {
    return preemptions;
  }

  /** The number of blocks that admitted sequences found in the prefix cache. */
  long prefixCacheHits() {
    return prefixCacheHits;
  }

  /** Keeps the blocks that are available for others, except for an equal part. */
  void keepAllBut(int parts) {
    blocksKept = pool.available() - pool.available() / parts;
  }

  void keepNothing() {
    blocksKept = 0;
  }

  /** Whether all places are taken and the next waiting sequence would be given one of them. */
  boolean isTakenFrom() {
    return running.size() == maxNumSeqs
        && !waiting.isEmpty()
        && running.surplus(waiting.next().place().siblings().running() + 2) != null;
  }

  /**
   * Gives a waiting sequence a place among the running ones, the blocks that the prefix cache has
   * for it, and blocks for its other tokens. There must be room for one more token, or its longest
   * label; otherwise it would soon be preempted again. Sequences of requests of which at least two
   * more run are preempted for it.
   */
  boolean admit(Sequence sequence) {
    int displaceable = sequence.place().siblings().running() + 2;
    if (running.size() == maxNumSeqs && running.surplus(displaceable) == null) {
      return false;
    }
    int needed = ForwardPass.blocksFor(sequence.length() + sequence.tokensToCome());
    kvCache.takeCached(sequence);
    while (needed - sequence.blocks().count() > pool.available()) {
      Sequence surplus = running.surplus(displaceable);
      if (surplus == null) {
        kvCache.free(sequence);
        return false;
      }
      preempt(surplus);
    }
    if (running.size() == maxNumSeqs) {
      preempt(running.surplus(displaceable));
    }
    prefixCacheHits += sequence.blocks().count();
    sequence.admitted();
    while (sequence.blocks().capacity() < sequence.length()) {
      sequence.blocks().add(pool.allocate());
    }
    return true;
  }

  /** Makes room for one token; preempts the sequence itself if no other can be preempted. */
  boolean makeForToken(Sequence sequence) {
    if (sequence.blocks().computed() < sequence.blocks().capacity() || addBlock(sequence, true)) {
      return true;
    }
    preempt(sequence);
    return false;
  }

  /**
   * Adds a block to a sequence or branch.
   *
   * @param force whether other sequences are preempted for it
   */
  boolean addBlock(Sequence sequence, boolean force) {
    while (pool.available() <= (force ? 0 : blocksKept)) {
      if (!force) {
        return false;
      }
      Sequence other = running.firstToPreempt();
      if (other == sequence.root()) {
        return false;
      }
      preempt(other);
    }
    sequence.blocks().add(pool.allocate());
    return true;
  }

  /** Schedules as much of a sequence as budget and blocks allow; true if that is all of it. */
  boolean schedule(Sequence sequence, boolean force) {
    int from = step.end(sequence);
    int end = from + step.fitting(sequence);
    while (sequence.blocks().capacity() < end && addBlock(sequence, force)) {
      // until there is room for all of it
    }
    end = Math.min(end, sequence.blocks().capacity());
    if (end > from) {
      step.add(sequence, end - from);
    }
    return end == sequence.length();
  }

  private void preempt(Sequence sequence) {
    step.withdraw(sequence);
    returnToQueue(sequence);
  }

  /** Frees the blocks of a running sequence, which waits until it is admitted again. */
  void returnToQueue(Sequence sequence) {
    running.remove(sequence);
    kvCache.freeAll(sequence);
    waiting.add(sequence);
    sequence.status(SequenceStatus.PREEMPTED);
    preemptions++;
  }
}

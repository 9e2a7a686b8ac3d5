package dev.flinfer.engine.batching;

import dev.flinfer.engine.device.ForwardPass;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Decides what the next forward pass computes. Pure: no thread, no clock, no tensor.
 *
 * <p><b>Iteration-level scheduling.</b> Sequences join and leave between any two steps, not between
 * batches (Yu et al., "Orca: A Distributed Serving System for Transformer-Based Generative Models",
 * OSDI 2022), so that a short completion never waits for a long one. A running sequence is
 * interrupted for KV blocks only, never because another one waits.
 *
 * <p><b>One token budget, decoding first.</b> A step takes one token of every sequence that
 * decodes, then chunks of prompts up to {@code max_num_batched_tokens} (Agrawal et al., "Taming
 * Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve", OSDI 2024). A long prompt
 * therefore delays the next token of the others by one step of bounded size at most. Within each
 * kind the order is that of {@link Waiting#RANK}.
 *
 * <p><b>Paged keys and values, recomputation.</b> KV memory is given out in blocks of {@link
 * ForwardPass#BLOCK_SIZE} positions (Kwon et al., "Efficient Memory Management for Large Language
 * Model Serving with PagedAttention", SOSP 2023). When none is left the last running sequence in
 * rank is preempted: it gives back its blocks and is prefilled again later. There is no swapping to
 * host memory: results are bit-identical either way, and recomputing needs no second kind of
 * memory. The first sequence in rank takes blocks from all others and gives none away, so there is
 * no deadlock as long as the pool holds one sequence of the greatest length.
 *
 * <p><b>Prefix cache.</b> Full blocks are found again by the tokens from the sequence's start to
 * their end, as in vLLM's automatic prefix caching; {@link BlockPool} compares contents, not
 * hashes. A waiting sequence is admitted when there is room for all its tokens and one more, since
 * it would soon be preempted otherwise.
 *
 * <p><b>Branches.</b> A sequence with choices scores its labels in branches, each after the
 * prompt's full blocks, which it shares, with its own blocks for the rest. A branch is scheduled
 * once its prompt is computed, or in the same step. A sequence counts once against {@code
 * max_num_seqs}, however many branches it has, and is preempted as a whole.
 *
 * <p><b>Suspects.</b> After a step that failed, each of its sequences is computed by itself until
 * it has made progress, so that the one that makes the forward pass fail is found; see {@link
 * DeviceFaults}.
 */
final class Scheduler {
  private final StepLimits limits;
  private final BlockPool pool;
  private final KvCacheManager kvCache;
  private final ArrayList<Sequence> running = new ArrayList<>(); // by rank
  private final Waiting waiting = new Waiting();

  /** Sequences that have arrived and cannot start yet. */
  private final Set<Sequence> held = new LinkedHashSet<>();

  /** Sequences of a failed step; while there are any, a step holds only the first of them. */
  private final Suspects suspects = new Suspects();

  private final Deadlines deadlines = new Deadlines();
  private final StepDraft step;
  private long arrivals;
  private long preemptions;
  private long prefixCacheHits;

  Scheduler(StepLimits limits, boolean prefixCaching, BlockPool pool) {
    this.limits = limits;
    this.pool = pool;
    this.kvCache = new KvCacheManager(prefixCaching, pool);
    this.step = new StepDraft(limits.maxNumBatchedTokens(), limits.maxNumLogits());
  }

  /** Adds a sequence that can start. One that was held keeps its place in the order of arrival. */
  void add(Sequence sequence) {
    if (!held.remove(sequence)) {
      arrive(sequence);
    }
    waiting.add(sequence);
  }

  /** Adds a sequence that is not scheduled before it is added again; its deadline counts. */
  void hold(Sequence sequence) {
    arrive(sequence);
    held.add(sequence);
  }

  private void arrive(Sequence sequence) {
    sequence.arrived(++arrivals);
    deadlines.add(sequence);
  }

  /** Removes a sequence that is finished or cancelled. */
  void remove(Sequence sequence) {
    held.remove(sequence);
    suspects.remove(sequence);
    deadlines.remove(sequence);
    if (running.remove(sequence)) {
      kvCache.freeAll(sequence);
    } else {
      waiting.remove(sequence);
    }
  }

  Collection<Sequence> running() {
    return running;
  }

  Collection<Sequence> waiting() {
    return waiting.all();
  }

  Collection<Sequence> held() {
    return held;
  }

  /** The earliest deadline, milliseconds since 1970; {@link Long#MAX_VALUE} if there is none. */
  long earliestDeadline() {
    return deadlines.earliest();
  }

  /** The sequence whose deadline passed the longest ago; null if no deadline has passed. */
  Sequence overdue(long nowMillis) {
    return deadlines.overdue(nowMillis);
  }

  long preemptions() {
    return preemptions;
  }

  /** The number of blocks that admitted sequences found in the prefix cache. */
  long prefixCacheHits() {
    return prefixCacheHits;
  }

  /**
   * Returns what the next step computes; empty only if no sequence can start. The next call
   * overwrites the list.
   */
  List<Scheduled> schedule() {
    step.clear();
    if (!suspects.isEmpty()) {
      scheduleAlone(suspects.first());
      return step.scheduled();
    }
    // Preemption removes from the end of the list, so the index stays valid.
    for (int i = 0; i < running.size() && !step.isFull(); i++) {
      Sequence sequence = running.get(i);
      if (sequence.decoding() && makeRoom(sequence)) {
        step.add(sequence, 1);
      }
    }
    for (int i = 0; i < running.size() && !step.isFull(); i++) {
      Sequence sequence = running.get(i);
      if (!sequence.decoding()) {
        prefill(sequence);
      }
    }
    while (!waiting.isEmpty() && running.size() < limits.maxNumSeqs() && !step.isFull()) {
      Sequence sequence = waiting.next();
      if (!admit(sequence)) {
        break;
      }
      waiting.admitNext();
      int place = Collections.binarySearch(running, sequence, Waiting.RANK);
      running.add(-place - 1, sequence);
      prefill(sequence);
    }
    return step.scheduled();
  }

  /** Notes that the tokens of a step are computed and adds full blocks to the prefix cache. */
  void computed(List<Scheduled> step) {
    step.forEach(kvCache::computed);
  }

  /**
   * Handles a step that failed or whose logits were NaN: everything is computed again, and each of
   * these sequences by itself until it is {@link #cleared} or removed, so that the failing one is
   * found.
   *
   * @param known whether these sequences are known to be the failing ones: then the blocks that
   *     they filled also leave the prefix cache
   */
  void suspect(Collection<Sequence> sequences, boolean known) {
    if (known) {
      sequences.forEach(kvCache::forget);
    }
    while (!running.isEmpty()) {
      returnToQueue(running.get(running.size() - 1));
    }
    if (known) {
      sequences.forEach(Sequence::scoreAgain);
    }
    suspects.add(sequences);
  }

  /** Removes the sequence that made a step fail. */
  void removeFailing(Sequence sequence) {
    remove(sequence);
    suspects.causeFound();
  }

  /** Notes that the sequence made progress by itself. */
  void cleared(Sequence sequence) {
    if (suspects.remove(sequence) && !suspects.isEmpty()) {
      returnToQueue(sequence); // the next one may need all blocks
    }
  }

  /** While there are suspects no other sequence runs; the pool can always hold one sequence. */
  private void scheduleAlone(Sequence sequence) {
    if (running.isEmpty()) {
      admit(sequence);
      waiting.remove(sequence);
      running.add(sequence);
    }
    if (!sequence.decoding()) {
      prefill(sequence);
    } else if (makeRoom(sequence)) {
      step.add(sequence, 1);
    }
  }

  /** Makes room for one token; preempts the sequence itself if no other can be preempted. */
  private boolean makeRoom(Sequence sequence) {
    if (sequence.blocks().computed() < sequence.blocks().capacity() || addBlock(sequence, true)) {
      return true;
    }
    preempt(sequence);
    return false;
  }

  /**
   * Adds a block to a sequence or branch.
   *
   * @param force whether sequences of lower rank are preempted for it
   */
  private boolean addBlock(Sequence sequence, boolean force) {
    while (pool.available() == 0) {
      Sequence last = running.get(running.size() - 1);
      if (!force || last == sequence.root()) {
        return false;
      }
      preempt(last);
    }
    sequence.blocks().add(pool.allocate());
    return true;
  }

  private void preempt(Sequence sequence) {
    step.withdraw(sequence);
    returnToQueue(sequence);
  }

  private void returnToQueue(Sequence sequence) {
    running.remove(sequence);
    kvCache.freeAll(sequence);
    waiting.add(sequence);
    sequence.status(SequenceStatus.PREEMPTED);
    preemptions++;
  }

  /** Schedules as much of a prompt, and of its branches, as budget and blocks allow. */
  private void prefill(Sequence sequence) {
    // In the step that ends the prompt its last block is still held, which may leave none for
    // branches.
    boolean force = sequence.uncomputed() == 0;
    if (!force && !chunk(sequence, true)) {
      return;
    }
    for (Sequence branch : sequence.branches()) {
      if (!branch(branch, force)) {
        return;
      }
      force = false; // one branch is progress; more are not worth preempting other sequences
    }
    while (sequence.hasMoreBranches() && !step.isFull() && !step.hasNoLogits()) {
      if (!branch(sequence.nextBranch(), force)) {
        return;
      }
      force = false;
    }
  }

  private boolean branch(Sequence branch, boolean force) {
    if (branch.blocks().computed() == 0) {
      kvCache.share(branch);
    }
    return chunk(branch, force);
  }

  /** Schedules as much of a sequence as budget and blocks allow; true if that is all of it. */
  private boolean chunk(Sequence sequence, boolean force) {
    int computed = sequence.blocks().computed();
    int end = computed + step.fitting(sequence);
    while (sequence.blocks().capacity() < end && addBlock(sequence, force)) {
      // until there is room for all of it
    }
    end = Math.min(end, sequence.blocks().capacity());
    if (end > computed) {
      step.add(sequence, end - computed);
    }
    return end == sequence.length();
  }

  /**
   * Gives a waiting sequence the blocks that the prefix cache has for it, if there is room for all
   * its tokens and one more, or its longest label; otherwise it would soon be preempted again.
   */
  private boolean admit(Sequence sequence) {
    int needed = ForwardPass.blocksFor(sequence.length() + sequence.tokensToCome());
    kvCache.takeCached(sequence);
    if (needed - sequence.blocks().count() > pool.available()) {
      kvCache.free(sequence);
      return false;
    }
    prefixCacheHits += sequence.blocks().count();
    sequence.admitted();
    return true;
  }
}

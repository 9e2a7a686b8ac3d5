package dev.flinfer.engine.batching;

import dev.flinfer.engine.blocks.BlockPool;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.StepLimits;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Decides what the next forward pass computes. Pure: no thread, no clock, no tensor.
 *
 * <p><b>Iteration-level scheduling.</b> Sequences join and leave between any two steps, not between
 * batches (Yu et al., "Orca: A Distributed Serving System for Transformer-Based Generative Models",
 * OSDI 2022), so that a short completion never waits for a long one. A running sequence is
 * interrupted for KV blocks, or because it is one of several of its request and another request
 * waits, of which fewer run; never otherwise because another one waits.
 *
 * <p><b>One token budget, decoding first.</b> A step takes one token of every sequence that
 * decodes, then chunks of prompts up to {@code max_num_batched_tokens} (Agrawal et al., "Taming
 * Throughput-Latency Tradeoff in LLM Inference with Sarathi-Serve", OSDI 2024). A long prompt
 * therefore delays the next token of the others by one step of bounded size at most. Within each
 * kind the order is that of {@link Waiting#RANK}. Further outputs of a request and its labels use a
 * part of the budget only, as long as other requests need the rest.
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
 * max_num_seqs}, however many branches it has, and is preempted as a whole. Requests with labels
 * get equal parts of a step.
 *
 * <p><b>Suspects.</b> After a step that failed, each of its sequences is computed by itself until
 * it has made progress, so that the one that makes the forward pass fail is found; see {@link
 * DeviceFaults}.
 */
final class Scheduler {
  private static final int ANY = Integer.MAX_VALUE;

  private final KvCacheManager kvCache;
  private final Waiting waiting = new Waiting();
  private final Running running = new Running(waiting);
  private final Room room;
  private final LabelScoring labels;

  /** Sequences that have arrived and cannot start yet. */
  private final Set<Sequence> held = new LinkedHashSet<>();

  /** Sequences of a failed step; while there are any, a step holds only the first of them. */
  private final Suspects suspects = new Suspects();

  private final Deadlines deadlines = new Deadlines();
  private final StepDraft step;

  /** Running sequences in the order in which they are scheduled; scratch space. */
  private final List<Sequence> order = new ArrayList<>();

  private long arrivals;

  Scheduler(StepLimits limits, boolean prefixCaching, BlockPool pool) {
    this.kvCache = new KvCacheManager(prefixCaching, pool);
    this.step = new StepDraft(limits.maxNumBatchedTokens(), limits.maxNumLogits());
    this.room = new Room(limits.maxNumSeqs(), pool, kvCache, running, waiting, step);
    this.labels = new LabelScoring(step, room, kvCache, running);
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
    sequence.place().arrived(++arrivals);
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
    return running.all();
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
    return room.preemptions();
  }

  /** The number of blocks that admitted sequences found in the prefix cache. */
  long prefixCacheHits() {
    return room.prefixCacheHits();
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
    decode();
    if (fill() && !step.isFull()) {
      fill(); // with what was kept for sequences that need less
    }
    return step.scheduled();
  }

  /**
   * Fills the rest of a step: half with the prompts of requests, a quarter with those of further
   * outputs, a quarter with labels, and each part with what those before it leave. So a request of
   * which much is left cannot keep others from their first token.
   *
   * @return whether there are further outputs or labels
   */
  private boolean fill() {
    int firsts = running.orderPrompts(order);
    boolean shared = labels.areLeft() || firsts < order.size();
    step.keep(shared ? step.tokensLeft() / 2 : 0, 0);
    for (int i = 0; i < firsts; i++) {
      prefill(order.get(i));
    }
    for (Sequence next = admitNext(0); next != null; next = admitNext(0)) {
      if (next.place().isFurtherOutput()) {
        order.add(next);
      } else {
        prefill(next);
      }
    }
    step.keep(labels.areLeft() ? (step.tokensLeft() + 1) / 2 : 0, 0);
    for (int i = firsts; i < order.size(); i++) {
      prefill(order.get(i));
    }
    for (Sequence next = admitNext(ANY); next != null; next = admitNext(ANY)) {
      prefill(next);
    }
    step.keep(0, 0);
    labels.score();
    return shared;
  }

  private void decode() {
    order.clear();
    for (int i = 0; i < running.size(); i++) {
      if (running.get(i).decoding()) {
        order.add(running.get(i));
      }
    }
    // Otherwise a request that runs a full step could not be displaced.
    step.keep(room.isTakenFrom() ? 1 : 0, 0);
    for (int i = 0; i < order.size() && !step.isFull(); i++) {
      Sequence sequence = order.get(i);
      if (Running.contains(sequence) && room.makeForToken(sequence)) {
        step.add(sequence, 1);
      }
    }
    step.keep(0, 0);
  }

  private void prefill(Sequence sequence) {
    if (Running.contains(sequence) && !step.isFull()) {
      room.schedule(sequence, true);
    }
  }

  /** Admits the next waiting sequence if at most this number of its request run; or null. */
  private Sequence admitNext(int atMost) {
    if (waiting.isEmpty() || step.isFull()) {
      return null;
    }
    Sequence sequence = waiting.next();
    if (sequence.place().siblings().running() > atMost || !room.admit(sequence)) {
      return null;
    }
    waiting.admitNext();
    running.add(sequence);
    return sequence;
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
      room.returnToQueue(running.last());
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
      room.returnToQueue(sequence); // the next one may need all blocks
    }
  }

  /** While there are suspects no other sequence runs; the pool can always hold one sequence. */
  private void scheduleAlone(Sequence sequence) {
    if (running.isEmpty()) {
      room.admit(sequence);
      waiting.remove(sequence);
      running.add(sequence);
    }
    if (sequence.decoding()) {
      if (room.makeForToken(sequence)) {
        step.add(sequence, 1);
      }
    } else if (sequence.uncomputed() == 0 || room.schedule(sequence, true)) {
      labels.score(sequence, sequence.uncomputed() == 0);
    }
  }
}

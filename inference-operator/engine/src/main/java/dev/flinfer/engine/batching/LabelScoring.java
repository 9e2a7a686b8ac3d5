package dev.flinfer.engine.batching;

import java.util.ArrayList;
import java.util.List;

/** Schedules the branches that score the labels of requests. */
final class LabelScoring {
  private final StepDraft step;
  private final Room room;
  private final KvCacheManager kvCache;
  private final Running running;

  /** Running sequences with labels; scratch space. */
  private final List<Sequence> order = new ArrayList<>();

  LabelScoring(StepDraft step, Room room, KvCacheManager kvCache, Running running) {
    this.step = step;
    this.room = room;
    this.kvCache = kvCache;
    this.running = running;
  }

  /** Whether a running sequence has labels to be scored after its prompt. */
  boolean areLeft() {
    for (int i = 0; i < running.size(); i++) {
      if (running.get(i).uncomputed() == 0 && running.get(i).hasLabelsLeft()) {
        return true;
      }
    }
    return false;
  }

  /** Schedules branches: each request gets an equal part of what is left, then in rank the rest. */
  void score() {
    order.clear();
    for (int i = 0; i < running.size(); i++) {
      Sequence sequence = running.get(i);
      if (sequence.hasLabelsLeft() && step.end(sequence) == sequence.length()) {
        order.add(sequence);
      }
    }
    for (int i = 0; i < order.size(); i++) {
      int sharing = order.size() - i;
      step.keep(
          step.tokensLeft() - step.tokensLeft() / sharing,
          step.logitsLeft() - step.logitsLeft() / sharing);
      room.keepAllBut(sharing);
      if (Running.contains(order.get(i))) {
        // In the step that ends the prompt its last block is still held, which may leave none for
        // branches.
        score(order.get(i), order.get(i).uncomputed() == 0);
      }
    }
    step.keep(0, 0);
    room.keepNothing();
    for (int i = 0; i < order.size() - 1; i++) {
      if (Running.contains(order.get(i))) {
        score(order.get(i), false);
      }
    }
  }

  /**
   * Schedules as much of a sequence's branches as budget and blocks allow.
   *
   * @param force whether other sequences are preempted for the first one
   */
  void score(Sequence sequence, boolean force) {
    boolean forced = force;
    for (Sequence branch : sequence.branches()) {
      if (!branch(branch, forced)) {
        return;
      }
      forced = false; // one branch is progress; more are not worth preempting other sequences
    }
    while (sequence.hasMoreBranches() && !step.isFull() && !step.hasNoLogits()) {
      if (!branch(sequence.nextBranch(), forced)) {
        return;
      }
      forced = false;
    }
  }

  private boolean branch(Sequence branch, boolean force) {
    if (branch.blocks().computed() == 0) {
      kvCache.share(branch);
    }
    return room.schedule(branch, force);
  }
}

package dev.flinfer.engine.batching;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;

/** The running sequences in rank, and which of them makes room for others. */
final class Running {
  private final ArrayList<Sequence> sequences = new ArrayList<>(); // by rank
  private final Waiting waiting;
  private long passes;

  Running(Waiting waiting) {
    this.waiting = waiting;
  }

  void add(Sequence sequence) {
    int place = Collections.binarySearch(sequences, sequence, Waiting.RANK);
    sequences.add(-place - 1, sequence);
    waiting.running(sequence.place().siblings(), 1);
  }

  /** Removes a sequence; false if it does not run. */
  boolean remove(Sequence sequence) {
    if (!sequences.remove(sequence)) {
      return false;
    }
    waiting.running(sequence.place().siblings(), -1);
    return true;
  }

  boolean isEmpty() {
    return sequences.isEmpty();
  }

  int size() {
    return sequences.size();
  }

  Sequence get(int index) {
    return sequences.get(index);
  }

  Collection<Sequence> all() {
    return sequences;
  }

  Sequence last() {
    return sequences.get(sequences.size() - 1);
  }

  /**
   * The last in rank of the request of which most sequences run; null if fewer than a number run.
   */
  Sequence surplus(int atLeast) {
    Sequence surplus = null;
    int most = atLeast - 1;
    for (int i = sequences.size() - 1; i >= 0; i--) {
      int siblings = sequences.get(i).place().siblings().running();
      if (siblings > most) {
        surplus = sequences.get(i);
        most = siblings;
      }
    }
    return surplus;
  }

  /**
   * The sequence that is preempted when a running one needs a KV block: one of a request of which
   * others run, or else the last in rank. It is never the first in rank of several.
   */
  Sequence firstToPreempt() {
    Sequence surplus = surplus(2);
    return surplus != null ? surplus : last();
  }

  /** Whether the sequence runs; not if it was preempted while others were scheduled. */
  static boolean contains(Sequence sequence) {
    return sequence.status() == SequenceStatus.RUNNING;
  }

  /**
   * Collects the running sequences with prompts, the further outputs last, of each request one
   * before the next; returns how many are not further outputs.
   */
  int orderPrompts(List<Sequence> order) {
    order.clear();
    passes++;
    int outputs = 0;
    for (int i = 0; i < sequences.size(); i++) {
      Sequence sequence = sequences.get(i);
      if (!sequence.decoding() && sequence.uncomputed() > 0) {
        boolean further = sequence.place().isFurtherOutput();
        sequence.place().turn(further ? 1 + sequence.place().siblings().countIn(passes) : 0);
        order.add(sequence);
        outputs += further ? 1 : 0;
      }
    }
    if (outputs > 0) {
      order.sort(Comparator.comparingInt(sequence -> sequence.place().turn()));
    }
    return order.size() - outputs;
  }
}

package dev.flinfer.engine.cpu;

import dev.flinfer.engine.weights.WeightFileException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * Threads that divide the parts of a task among themselves, several hundred tasks per step. Between
 * tasks they spin for a moment before they sleep, because waking a sleeping thread takes longer
 * than most tasks. Only one owner thread calls {@link #run}, and it works, too.
 */
final class WorkerTeam implements AutoCloseable {
  /** About 20 microseconds: the time between two tasks of a layer. */
  private static final int SPINS = 1 << 10;

  /** A part of a task. */
  interface Task {
    /** Runs it; {@code worker} is the index of the thread, below {@link WorkerTeam#size()}. */
    void run(int from, int to, int worker);
  }

  private final Thread[] workers;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger busy = new AtomicInteger();
  private Task task;
  private int count;
  private int grain;
  private volatile int epoch;
  private volatile boolean closed;
  private volatile Throwable failure;

  WorkerTeam(int threads) {
    workers = new Thread[threads - 1];
    for (int i = 0; i < workers.length; i++) {
      int worker = i + 1;
      workers[i] = new Thread(() -> work(worker), "flinfer-cpu-" + worker);
      workers[i].setDaemon(true);
      workers[i].start();
    }
  }

  int size() {
    return workers.length + 1;
  }

  /**
   * Runs the task over 0 to {@code count}, {@code grain} at a time, and returns when all is done.
   */
  @SuppressWarnings("NonAtomicVolatileUpdate") // only the owner writes epoch
  void run(int count, int grain, Task task) {
    if (workers.length == 0 || count <= grain) {
      task.run(0, count, 0);
      return;
    }
    this.task = task;
    this.count = count;
    this.grain = grain;
    next.set(0);
    busy.set(workers.length);
    epoch++; // publishes the fields above
    for (Thread worker : workers) {
      LockSupport.unpark(worker);
    }
    takeParts(0);
    for (int i = 0; busy.get() > 0; i++) {
      pause(i);
    }
    this.task = null;
    if (failure != null) {
      Throwable cause = failure;
      failure = null;
      if (cause instanceof WeightFileException e) {
        throw e; // its message describes a fault of the model, whichever thread found it
      }
      throw new IllegalStateException("A worker of the CPU backend failed: " + cause, cause);
    }
  }

  /** {@link #run} for a task that is the same for each of its parts. */
  void forEach(int count, int grain, IntConsumer part) {
    run(
        count,
        grain,
        (from, to, worker) -> {
          for (int i = from; i < to; i++) {
            part.accept(i);
          }
        });
  }

  @Override
  public void close() {
    closed = true;
    for (Thread worker : workers) {
      LockSupport.unpark(worker);
    }
  }

  private void work(int worker) {
    int seen = 0;
    while (true) {
      for (int i = 0; epoch == seen; i++) {
        if (closed) {
          return;
        }
        if (i < SPINS) {
          Thread.onSpinWait();
        } else {
          LockSupport.park(this);
        }
      }
      seen++;
      takeParts(worker);
      busy.decrementAndGet();
    }
  }

  private void takeParts(int worker) {
    try {
      int from;
      while ((from = next.getAndAdd(grain)) < count) {
        task.run(from, Math.min(from + grain, count), worker);
      }
    } catch (RuntimeException | Error e) {
      failure = e;
      next.set(count);
    }
  }

  /** Waits for the others: they are working, unless the machine took their core away. */
  @SuppressWarnings("ThreadPriorityCheck") // then it helps to offer it this one
  private static void pause(int turn) {
    if (turn < SPINS) {
      Thread.onSpinWait();
    } else {
      Thread.yield();
    }
  }
}

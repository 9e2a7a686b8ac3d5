package dev.flinfer.engine.batching;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** The thread that owns a device, and the messages that other threads send it without waiting. */
final class OwnerThread {
  private final Queue<Runnable> inbox = new ConcurrentLinkedQueue<>();

  /** Counts the messages, because the queue's own {@code size} walks through them all. */
  private final AtomicInteger pending = new AtomicInteger();

  private final Thread thread;
  private volatile boolean sleeping;

  OwnerThread(Runnable body) {
    thread = new Thread(body, "flinfer-engine");
    thread.setDaemon(true);
  }

  void start() {
    thread.start();
  }

  /** Sends a message that the thread runs before its next step. */
  void send(Runnable message) {
    pending.incrementAndGet();
    inbox.add(message);
    if (sleeping) { // the thread checks the inbox after it has set this
      wake();
    }
  }

  void wake() {
    LockSupport.unpark(thread);
  }

  /** The number of messages that have not started to run. */
  int pending() {
    return pending.get();
  }

  /** On the thread: runs the messages. */
  void runMessages() {
    Runnable message;
    while ((message = inbox.poll()) != null) {
      pending.decrementAndGet();
      message.run();
    }
  }

  /**
   * On the thread: sleeps until a message is sent, it is woken or the time is over; may return
   * spuriously.
   */
  void sleep(long millis) {
    sleeping = true;
    if (inbox.isEmpty()) {
      LockSupport.parkNanos(this, TimeUnit.MILLISECONDS.toNanos(millis));
    }
    sleeping = false;
  }

  /** Waits for the thread to end, even if interrupted; returns at once on the thread itself. */
  void join() {
    boolean interrupted = false;
    while (thread.isAlive() && Thread.currentThread() != thread) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true; // the device must be free before this returns
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}

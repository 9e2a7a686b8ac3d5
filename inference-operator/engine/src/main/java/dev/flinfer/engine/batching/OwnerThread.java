package dev.flinfer.engine.batching;

import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** The thread that owns a device, and the messages that others send it without waiting. */
final class OwnerThread {
  private final Queue<Runnable> inbox = new ConcurrentLinkedQueue<>();

  /** The queue would count its messages one by one. */
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

  /** Has the thread run a message before its next step. */
  void send(Runnable message) {
    pending.incrementAndGet();
    inbox.add(message);
    if (sleeping) { // the thread looks at the inbox once more after it has said so
      wake();
    }
  }

  void wake() {
    LockSupport.unpark(thread);
  }

  /** Messages that are not taken in yet. */
  int pending() {
    return pending.get();
  }

  /** On the thread: runs what was sent. */
  void takeIn() {
    Runnable message;
    while ((message = inbox.poll()) != null) {
      pending.decrementAndGet();
      message.run();
    }
  }

  /** On the thread: sleeps until something was sent or it is woken; may return for no reason. */
  void sleep() {
    sleeping = true;
    if (inbox.isEmpty()) {
      LockSupport.park(this);
    }
    sleeping = false;
  }

  /** Waits for its end, on whatever thread but itself, interrupted or not. */
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

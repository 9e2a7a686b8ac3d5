package dev.flinfer.jobs;

import dev.flinfer.engine.EngineException;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/**
 * What fails next, for all engines of the process: the operator's code asks at each {@link Point}.
 */
final class Faults {
  /** Where the operator is when it fails, and how many times it passes there before, at most. */
  enum Point {
    /** It opens. */
    OPEN(1),
    /** It takes a record. */
    SUBMIT(120),
    /** The engine has an answer for it. */
    ANSWER(120),
    /** It writes a checkpoint: once for each request in flight. */
    SNAPSHOT(20),
    /** It reports its throughput. */
    REPORT(4);

    private final int most;

    Point(int most) {
      this.most = most;
    }
  }

  private static final Random NONE = null;

  private static Random random = NONE;
  private static int left;
  private static int passes;
  private static Point next;
  private static String log = "";

  /** Before each answer: half a second of work becomes some, so that a fault finds it under way. */
  static final Duration PAUSE = Duration.ofMillis(4);

  private static final AtomicReference<Duration> STALL = new AtomicReference<>();
  private static final AtomicInteger STALL_AFTER = new AtomicInteger();
  private static volatile Semaphore answers = unlimited();

  private Faults() {}

  /** No faults from here on. */
  static synchronized void none() {
    random = NONE;
    next = null;
    log = "";
    STALL.set(null);
    answers = unlimited();
  }

  private static Semaphore unlimited() {
    return new Semaphore(Integer.MAX_VALUE);
  }

  /**
   * The engines give so many answers from here on and then none, until they are allowed more or
   * closed: what a test does to a job half-way finds it half-way, however slow the machine is.
   */
  static void allowAnswers(int count) {
    answers = new Semaphore(count);
  }

  /** Whether the answers that were allowed are given. */
  static boolean heldNow() {
    return answers.availablePermits() == 0;
  }

  /** All answers from here on. */
  static void allowAllAnswers() {
    answers = unlimited();
  }

  /** Waits until there may be one more answer, or there is to be none. */
  static void awaitAllowed(BooleanSupplier closed) {
    try {
      while (!closed.getAsBoolean() && !answers.tryAcquire(20, TimeUnit.MILLISECONDS)) {
        // Asks again: the test may have allowed more, with a semaphore of its own.
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** So many faults, one after the other, at points that follow from the seed. */
  static synchronized void plan(long seed, int count) {
    none();
    random = new Random(seed);
    left = count;
    planNext();
  }

  private static void planNext() {
    next = left-- > 0 ? Point.values()[random.nextInt(Point.values().length)] : null;
    passes = next == null ? 0 : random.nextInt(next.most);
  }

  /**
   * @throws EngineException if it is to fail here
   */
  static synchronized void hit(Point point) {
    if (point != next || passes-- > 0) {
      return;
    }
    log += point + " ";
    planNext();
    throw new EngineException("a fault that the test planned: " + point);
  }

  /** Those that came to pass. */
  static synchronized String log() {
    return log;
  }

  /** The task that takes the record after so many more does nothing for that long. */
  static void planStall(int after, Duration time) {
    STALL_AFTER.set(after);
    STALL.set(time);
  }

  static void stall() {
    Duration time = STALL.get();
    if (time != null && STALL_AFTER.decrementAndGet() < 0 && STALL.compareAndSet(time, null)) {
      long end = System.nanoTime() + time.toNanos();
      while (System.nanoTime() < end && !Thread.currentThread().isInterrupted()) {
        LockSupport.parkNanos(end - System.nanoTime());
      }
    }
  }
}

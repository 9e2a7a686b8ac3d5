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
 * The next faults, for all engines of the process: the engine checks for a fault at each {@link
 * Point}.
 */
final class Faults {
  /** A point at which the operator fails, and the maximum number of passes before it does. */
  enum Point {
    /** The operator opens. */
    OPEN(1),
    /** The operator accepts a record. */
    SUBMIT(120),
    /** The engine delivers an outcome. */
    ANSWER(120),
    /** The operator writes a checkpoint: once for each request in flight. */
    SNAPSHOT(20),
    /** The operator reports its throughput. */
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

  /**
   * Delay before each answer: it stretches half a second of work, so that faults hit requests in
   * flight.
   */
  static final Duration PAUSE = Duration.ofMillis(4);

  private static final AtomicReference<Duration> STALL = new AtomicReference<>();
  private static final AtomicInteger STALL_AFTER = new AtomicInteger();
  private static volatile Semaphore answers = unlimited();

  private Faults() {}

  /** Plans no faults from now on. */
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
   * Lets the engines give only the given number of answers, until they are allowed more or closed:
   * a test that disturbs a job halfway finds it halfway, however slow the machine is.
   */
  static void allowAnswers(int count) {
    answers = new Semaphore(count);
  }

  /** Whether all allowed answers have been given. */
  static boolean heldNow() {
    return answers.availablePermits() == 0;
  }

  /** Allows all answers from now on. */
  static void allowAllAnswers() {
    answers = unlimited();
  }

  /** Waits until one more answer is allowed, or the engine closes. */
  static void awaitAllowed(BooleanSupplier closed) {
    try {
      while (!closed.getAsBoolean() && !answers.tryAcquire(20, TimeUnit.MILLISECONDS)) {
        // Checks again: the test may have allowed more, with a new semaphore.
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Plans the given number of consecutive faults, at points derived from the seed. */
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
   * @throws EngineException if a fault is due here
   */
  static synchronized void hit(Point point) {
    if (point != next || passes-- > 0) {
      return;
    }
    log += point + " ";
    planNext();
    throw new EngineException("a fault that the test planned: " + point);
  }

  /** Returns the faults that occurred. */
  static synchronized String log() {
    return log;
  }

  /** Stalls the task for the given time at a record, after the given number of records. */
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

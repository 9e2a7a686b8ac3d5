package dev.flinfer.engine.batching;

/**
 * When a sequence was submitted, first scheduled and given its first token, in nanoseconds of the
 * {@link EngineClock}. Used on the engine's thread only, once the sequence is submitted.
 */
final class Timings {
  private static final double NANOS_PER_MILLI = 1e6;
  private static final long NEVER = Long.MIN_VALUE;

  private final long submitted;
  private long firstScheduled = NEVER;
  private long firstToken = NEVER;

  Timings(long submitted) {
    this.submitted = submitted;
  }

  /** Notes that the sequence takes part in a step that began at this time. */
  void scheduled(long now) {
    firstScheduled = firstScheduled == NEVER ? now : firstScheduled;
  }

  /** Whether it still waits for its first token. */
  boolean awaitsToken() {
    return firstToken == NEVER;
  }

  /** Notes the time of its first token. */
  void firstToken(long now) {
    firstToken = now;
  }

  /** Milliseconds in the queue; until now if it is still there. */
  double queueMillis(long now) {
    return millis(firstScheduled, now);
  }

  /** Milliseconds to the first token; until now if there is none. */
  double firstTokenMillis(long now) {
    return millis(firstToken, now);
  }

  /** Milliseconds since it was submitted. */
  double latencyMillis(long now) {
    return millis(now, now);
  }

  private double millis(long at, long now) {
    return ((at == NEVER ? now : at) - submitted) / NANOS_PER_MILLI;
  }
}

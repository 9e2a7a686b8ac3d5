package dev.flinfer.flink;

/**
 * Decides whether a subtask takes in more: by tokens, which is what the engine's KV cache and the
 * task manager's memory hold, and by a number of requests, since one without tokens still takes
 * memory. A single request is always let in, however long. Pure; belongs to the task thread but for
 * {@link #unfinished}.
 */
final class Admission {
  /**
   * Answers that wait for a watermark take no place in the engine, but memory: there may be this
   * many times the limits of them before the input waits too.
   */
  static final long MOST_HELD = 8;

  /** So that as much waits as runs: the engine has the next prompts at hand when some end. */
  private static final long KV_CACHES = 2;

  /**
   * @param requests most requests of a subtask in the engine, at least 1
   * @param tokens most tokens of their prompts and of what was generated for them before a restore;
   *     0 for as many as two KV caches hold
   */
  record Limits(int requests, long tokens) implements java.io.Serializable {
    /** With the KV cache's size in place of 0. */
    Limits orKvCache(long kvTokens) {
      return tokens > 0 ? this : new Limits(requests, KV_CACHES * Math.max(1, kvTokens));
    }
  }

  private final Limits limits;
  private int requests;
  private long tokens;
  private int held;
  private long heldTokens;

  /** For the gauge, which other threads read. */
  private volatile int unfinished;

  Admission(Limits limits) {
    this.limits = limits;
  }

  /** Whether the engine has enough. */
  boolean engineIsFull() {
    return requests >= limits.requests() || (requests > 0 && tokens >= limits.tokens());
  }

  /** Whether the input waits: for the engine, or for answers that wait for a watermark. */
  boolean isFull() {
    return engineIsFull()
        || held >= MOST_HELD * limits.requests()
        || heldTokens >= MOST_HELD * limits.tokens();
  }

  /** A request came in. */
  void arrived() {
    held++;
  }

  /** It went to the engine, with that many tokens. */
  void submitted(InFlight request) {
    requests++;
    tokens += request.tokens();
    heldTokens += request.tokens();
  }

  /** The engine is done with it. */
  void finished(InFlight request) {
    requests--;
    tokens -= request.tokens();
  }

  /** It went out. */
  void emitted(InFlight request) {
    held--;
    heldTokens -= request.tokens();
  }

  /**
   * @param pending restored requests that have not been submitted
   */
  void count(int pending) {
    unfinished = requests + pending;
  }

  /** Requests that the engine is not done with. */
  int unfinished() {
    return unfinished;
  }
}

package dev.flinfer.flink;

/**
 * Decides whether a subtask reads more records: by tokens, because these fill the engine's KV cache
 * and the TaskManager's memory, and by the number of requests, since a request without tokens still
 * takes memory. A single request is always admitted, however long. Pure; belongs to the task thread
 * except for {@link #unfinished}.
 */
final class Admission {
  /**
   * Outcomes that wait for a watermark take no place in the engine, but memory. The input also
   * waits when the requests without a sent outcome, or their tokens, reach this multiple of the
   * limits.
   */
  private static final long MAX_HELD = 8;

  /** As much waits as runs, so that the engine has the next prompts ready when some end. */
  private static final long KV_CACHES = 2;

  /**
   * @param requests maximum number of requests of a subtask in the engine, at least 1
   * @param tokens maximum number of tokens of their prompts and of the text generated for them
   *     before a restore; 0 for as many as two KV caches hold
   */
  record Limits(int requests, long tokens) implements java.io.Serializable {
    /** These limits, with the capacity of two KV caches in place of 0 tokens. */
    Limits orKvCache(long kvTokens) {
      return tokens > 0 ? this : new Limits(requests, KV_CACHES * Math.max(1, kvTokens));
    }
  }

  private final Limits limits;
  private int requests;
  private long tokens;
  private int held;
  private long heldTokens;

  /** Read by other threads, for the gauge. */
  private volatile int unfinished;

  Admission(Limits limits) {
    this.limits = limits;
  }

  /** Whether the engine has as much as it may have. */
  boolean engineIsFull() {
    return requests >= limits.requests() || (requests > 0 && tokens >= limits.tokens());
  }

  /** Whether the input waits: for the engine, or for outcomes that wait for a watermark. */
  boolean isFull() {
    return engineIsFull()
        || held >= MAX_HELD * limits.requests()
        || heldTokens >= MAX_HELD * limits.tokens();
  }

  /** A request has arrived. */
  void arrived() {
    held++;
  }

  /** The request was submitted to the engine. */
  void submitted(InFlight request) {
    requests++;
    tokens += request.tokens();
    heldTokens += request.tokens();
  }

  /** The engine has finished the request. */
  void finished(InFlight request) {
    requests--;
    tokens -= request.tokens();
  }

  /** The request's outcome was sent. */
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

  /** Number of requests that the engine has not finished. */
  int unfinished() {
    return unfinished;
  }
}

package dev.flinfer.jobs.sink;

/**
 * The timestamps that a broker accepts in a topic.
 *
 * @param beforeMs longest time before the broker's clock
 * @param afterMs longest time after it
 */
record TimestampRange(long beforeMs, long afterMs) {
  static final TimestampRange ANY = new TimestampRange(Long.MAX_VALUE, Long.MAX_VALUE);

  /** The broker's clock may differ from this one, and a record is sent some time after this. */
  private static final long MARGIN_MS = 5 * 60_000;

  /** Whether the broker will accept the timestamp. Kafka's clients refuse negative ones. */
  boolean accepts(long timestamp, long now) {
    long age = now - timestamp; // neither is negative, so this does not overflow
    return timestamp >= 0 && age <= withMargin(beforeMs) && -age <= withMargin(afterMs);
  }

  private static long withMargin(long limit) {
    return limit == Long.MAX_VALUE ? limit : limit - Math.min(limit / 2, MARGIN_MS);
  }
}

package dev.flinfer.jobs.sink;

import java.time.Duration;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The limit of a topic, which is queried again as long as it could not be read: a broker that was
 * unreachable for a moment, or a right that is given later, need no restart. The task thread never
 * waits for these queries.
 */
final class TopicLimit {
  private static final long INTERVAL_NANOS = Duration.ofMinutes(1).toNanos();

  private final Supplier<Optional<RecordLimit>> query;
  private final LongSupplier nanoTime;
  private final Executor background;
  private volatile RecordLimit limit;
  private volatile boolean read;
  private long lastQuery;

  /**
   * @param query returns nothing if the limit cannot be read
   * @param assumed the limit until it can be read
   */
  TopicLimit(
      Supplier<Optional<RecordLimit>> query,
      RecordLimit assumed,
      LongSupplier nanoTime,
      Executor background) {
    this.query = query;
    this.nanoTime = nanoTime;
    this.background = background;
    limit = assumed;
    lastQuery = nanoTime.getAsLong();
    query();
  }

  /** Queries the broker, and waits for it this first time. */
  static TopicLimit of(String topic, Properties producer) {
    return new TopicLimit(
        () -> RecordLimit.read(topic, producer),
        RecordLimit.assumed(topic, producer),
        System::nanoTime,
        query -> {
          Thread thread = new Thread(query, "flinfer-limit " + topic);
          thread.setDaemon(true);
          thread.start();
        });
  }

  /** A limit that is known. */
  static TopicLimit of(RecordLimit limit) {
    return new TopicLimit(() -> Optional.of(limit), limit, System::nanoTime, Runnable::run);
  }

  /** Called by the task thread for each record. */
  RecordLimit current() {
    if (!read) {
      long now = nanoTime.getAsLong();
      if (now - lastQuery >= INTERVAL_NANOS) { // a query takes less, so one runs at a time
        lastQuery = now;
        background.execute(this::query);
      }
    }
    return limit;
  }

  private void query() {
    query
        .get()
        .ifPresent(
            known -> {
              limit = known;
              read = true;
            });
  }
}

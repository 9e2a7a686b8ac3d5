package dev.flinfer.cli.local;

import dev.flinfer.cli.local.FlinkRest.Failure;
import dev.flinfer.cli.local.FlinkRest.Figures;
import dev.flinfer.jobs.ConsumerGroup;
import dev.flinfer.jobs.InputEnd;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.apache.flink.configuration.Configuration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Follows a job in a thread of its own, since Kafka and Flink may take seconds to answer. */
final class JobMonitor implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(JobMonitor.class);
  private static final Duration INTERVAL = Duration.ofSeconds(1);

  /** The rate is that of this time. */
  private static final long RATE_NANOS = Duration.ofSeconds(10).toNanos();

  private record Sample(long nanos, long answered) {}

  private final FlinkRest flink;
  private final InputEnd input;
  private final Configuration config;
  private final LongSupplier nanoTime;
  private final Consumer<String> failures;
  private final Deque<Sample> samples = new ArrayDeque<>();
  private final RunningSum answered = new RunningSum();
  private final RunningSum rejected = new RunningSum();
  private final Thread thread;
  private volatile Optional<JobProgress> progress = Optional.empty();
  private long lastFailure;
  private Map<Integer, Long> startOffsets;

  /**
   * @param failures receives the cause of each failure of the job that is seen, in the monitor's
   *     thread
   */
  JobMonitor(
      Configuration config, FlinkRest flink, LongSupplier nanoTime, Consumer<String> failures) {
    this.flink = flink;
    this.input = new InputEnd(config);
    this.config = config;
    this.nanoTime = nanoTime;
    this.failures = failures;
    thread = new Thread(this::run, "flinfer-job-monitor");
    thread.setDaemon(true);
    thread.start();
  }

  /** Empty until the job's first figures are there. */
  Optional<JobProgress> progress() {
    return progress;
  }

  private void run() {
    while (!Thread.currentThread().isInterrupted()) {
      try {
        poll();
      } catch (IOException | RuntimeException e) { // no answer now; the job must not suffer
        LOG.debug("no figures of the job", e);
      }
      try {
        Thread.sleep(INTERVAL.toMillis());
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private void poll() throws IOException {
    Optional<Failure> failure = flink.lastFailure();
    if (failure.isPresent() && failure.get().time() != lastFailure) {
      lastFailure = failure.get().time();
      failures.accept(failure.get().cause());
    }
    Optional<Figures> figures = flink.figures();
    if (figures.isPresent()) {
      if (startOffsets == null) {
        startOffsets = ConsumerGroup.read(config).offsets();
      }
      progress = Optional.of(progress(figures.get(), input.offsets()));
    }
  }

  private JobProgress progress(Figures figures, Map<Integer, Long> ends) {
    long total = answered.add(figures.requests());
    return new JobProgress(
        total,
        rate(new Sample(nanoTime.getAsLong(), total)),
        waiting(figures.positions(), ends),
        figures.inFlight(),
        rejected.add(figures.rejections()),
        figures.restarts());
  }

  private double rate(Sample now) {
    samples.add(now);
    while (samples.size() > 2 && now.nanos - samples.peek().nanos > RATE_NANOS) {
      samples.remove();
    }
    Sample first = samples.peek();
    long nanos = now.nanos - first.nanos;
    return nanos == 0 ? 0 : (now.answered - first.answered) * 1e9 / nanos;
  }

  private OptionalLong waiting(Map<Integer, Long> positions, Map<Integer, Long> ends) {
    if (ends.isEmpty()) {
      return OptionalLong.empty();
    }
    long waiting = 0;
    for (Map.Entry<Integer, Long> end : ends.entrySet()) {
      long read = positions.getOrDefault(end.getKey(), -1L);
      long next = read >= 0 ? read + 1 : startOffsets.getOrDefault(end.getKey(), 0L);
      waiting += Math.max(0, end.getValue() - next);
    }
    return OptionalLong.of(waiting);
  }

  @Override
  public void close() {
    thread.interrupt();
    input.close();
  }

  /** A count that starts at 0 again when a subtask does. */
  static final class RunningSum {
    private long before;
    private long last;

    long add(long now) {
      if (now < last) {
        before += last;
      }
      last = now;
      return before + now;
    }
  }
}

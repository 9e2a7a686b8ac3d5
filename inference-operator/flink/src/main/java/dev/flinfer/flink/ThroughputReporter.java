package dev.flinfer.flink;

import dev.flinfer.schema.Throughput;
import java.time.Duration;
import java.util.concurrent.ScheduledFuture;
import java.util.function.LongFunction;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.apache.flink.streaming.api.operators.Output;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/** Sends a report in every interval. Its timers run in the task thread and end with the task. */
final class ThroughputReporter {
  private final ProcessingTimeService time;
  private final long intervalMillis;
  private final LongFunction<Throughput> endOfWindow;
  private final Output<?> output;
  private ScheduledFuture<?> timer;

  /**
   * @param endOfWindow ends the window at the given time, in milliseconds since the epoch
   */
  ThroughputReporter(
      ProcessingTimeService time,
      Duration interval,
      LongFunction<Throughput> endOfWindow,
      Output<?> output) {
    this.time = time;
    this.intervalMillis = interval.toMillis();
    this.endOfWindow = endOfWindow;
    this.output = output;
    registerTimer(time.getCurrentProcessingTime());
  }

  private void registerTimer(long now) {
    timer = time.registerTimer(now + intervalMillis, at -> reportAndRegisterNext());
  }

  private void reportAndRegisterNext() {
    registerTimer(report());
  }

  /** Ends the regular reports; without this call they end with the task. */
  void stop() {
    timer.cancel(false);
  }

  /** Sends a report now, and returns its time. */
  long report() {
    long now = time.getCurrentProcessingTime();
    output.collect(InferenceOperator.THROUGHPUT, new StreamRecord<>(endOfWindow.apply(now), now));
    return now;
  }
}

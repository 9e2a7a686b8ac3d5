package dev.flinfer.flink;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.schema.WireFormat;
import java.io.Serializable;
import java.time.Duration;
import org.apache.flink.configuration.ReadableConfig;

/**
 * What the operator was told, checked.
 *
 * @param maxInFlight most requests of a subtask in the engine, at least 1
 */
record OperatorOptions(
    EngineOptions engine, int maxInFlight, Duration throughputInterval, WireFormat inputFormat)
    implements Serializable {

  static OperatorOptions from(ReadableConfig config) {
    EngineOptions engine = FlinferOptions.engineOptions(config);
    int maxInFlight = config.get(FlinferOptions.MAX_IN_FLIGHT);
    if (maxInFlight < 0) {
      throw new IllegalArgumentException(
          "%s is %d; it must be at least 1, or 0 for twice %s"
              .formatted(
                  FlinferOptions.MAX_IN_FLIGHT.key(),
                  maxInFlight,
                  FlinferOptions.MAX_NUM_SEQS.key()));
    }
    Duration interval = config.get(FlinferOptions.THROUGHPUT_INTERVAL);
    if (interval.toMillis() < 1) {
      throw new IllegalArgumentException(
          "%s is %d ns; it must be at least 1 ms"
              .formatted(FlinferOptions.THROUGHPUT_INTERVAL.key(), interval.toNanos()));
    }
    return new OperatorOptions(
        engine,
        maxInFlight > 0 ? maxInFlight : (int) Math.min(Integer.MAX_VALUE, 2L * engine.maxNumSeqs()),
        interval,
        config.get(FlinferOptions.INPUT_FORMAT));
  }
}

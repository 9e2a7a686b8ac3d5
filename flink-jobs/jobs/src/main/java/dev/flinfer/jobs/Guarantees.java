package dev.flinfer.jobs;

import dev.flinfer.engine.InvalidOptionException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ReadableConfig;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.core.execution.CheckpointingMode;
import org.apache.flink.streaming.api.environment.CheckpointConfig;

/** Checks that the job can keep its delivery guarantee with the options it was given. */
final class Guarantees {

  /** Time to detect a lost TaskManager, 50 s by default in Flink, and to start again. */
  private static final Duration RESTART = Duration.ofMinutes(1);

  /** Flink's own limit. */
  private static final Duration SHORTEST_INTERVAL = Duration.ofMillis(10);

  private final JobOptions options;
  private final ReadableConfig flink;
  private final CheckpointConfig checkpoints;

  /**
   * @param flink Flink's options as the job will have them
   */
  Guarantees(JobOptions options, ReadableConfig flink, CheckpointConfig checkpoints) {
    this.options = options;
    this.flink = flink;
    this.checkpoints = checkpoints;
  }

  /**
   * @throws InvalidOptionException if checkpoints are turned off
   */
  static void requireCheckpoints(ReadableConfig flink) {
    Duration interval =
        flink.getOptional(CheckpointingOptions.CHECKPOINTING_INTERVAL).orElse(SHORTEST_INTERVAL);
    if (interval.compareTo(SHORTEST_INTERVAL) < 0) {
      throw new InvalidOptionException(
          "%s is %d ms; it must be at least %d ms. Without checkpoints nothing is committed, and a"
                  .formatted(
                      CheckpointingOptions.CHECKPOINTING_INTERVAL.key(),
                      interval.toMillis(),
                      SHORTEST_INTERVAL.toMillis())
              + " failure loses the requests in flight. Remove it to use 10 s");
    }
  }

  /**
   * @throws InvalidOptionException if the options contradict the delivery guarantee
   */
  void check() {
    if (!options.exactlyOnce()) {
      return;
    }
    if (checkpoints.getCheckpointingConsistencyMode() != CheckpointingMode.EXACTLY_ONCE) {
      throw new InvalidOptionException(
          "%s is %s and %s exactly-once; such checkpoints may repeat records. Remove it, or set"
                  .formatted(
                      CheckpointingOptions.CHECKPOINTING_CONSISTENCY_MODE.key(),
                      checkpoints.getCheckpointingConsistencyMode(),
                      KafkaOptions.DELIVERY_GUARANTEE.key())
              + " the latter to at-least-once");
    }
    if (options.bounded()
        && !flink.get(CheckpointingOptions.ENABLE_CHECKPOINTS_AFTER_TASKS_FINISH)) {
      throw new InvalidOptionException(
          "%s is false and %s true; the last completions would never be committed. Remove"
                  .formatted(
                      CheckpointingOptions.ENABLE_CHECKPOINTS_AFTER_TASKS_FINISH.key(),
                      KafkaOptions.BOUNDED.key())
              + " the former");
    }
    checkTransactionTimeout();
  }

  /**
   * A transaction is opened at one checkpoint and committed when the next one is complete; after a
   * failure, not before the job has restarted. If the broker aborts it earlier, its output is lost.
   */
  private void checkTransactionTimeout() {
    Duration interval =
        Duration.ofMillis(
            Math.max(
                checkpoints.getCheckpointInterval(), checkpoints.getMinPauseBetweenCheckpoints()));
    Duration timeout = Duration.ofMillis(checkpoints.getCheckpointTimeout());
    // A failed checkpoint that is tolerated leaves its transactions to the next.
    int failures = Math.max(0, checkpoints.getTolerableCheckpointFailureNumber());
    Duration needed =
        interval.plus(timeout).multipliedBy(failures + 1L).plus(restartDelay()).plus(RESTART);
    if (options.transactionTimeout().compareTo(needed) >= 0) {
      return;
    }
    throw new InvalidOptionException(
        "%s is %d s; it must be at least %d s, which is %s (%d s) and %s (%d s)%s, the longest wait"
                .formatted(
                    KafkaOptions.TRANSACTION_TIMEOUT.key(),
                    options.transactionTimeout().toSeconds(),
                    needed.toSeconds(),
                    CheckpointingOptions.CHECKPOINTING_INTERVAL.key(),
                    interval.toSeconds(),
                    CheckpointingOptions.CHECKPOINTING_TIMEOUT.key(),
                    timeout.toSeconds(),
                    failures == 0
                        ? ""
                        : " %d times for %s"
                            .formatted(
                                failures + 1L, CheckpointingOptions.TOLERABLE_FAILURE_NUMBER.key()))
            + " of the restart strategy (%d s) and a restart (%d s) together; otherwise the broker"
                .formatted(restartDelay().toSeconds(), RESTART.toSeconds())
            + " may abort output whose checkpoint is complete. Raise it, or lower the others");
  }

  private Duration restartDelay() {
    String strategy =
        flink.getOptional(RestartStrategyOptions.RESTART_STRATEGY).orElse("exponential-delay");
    switch (strategy.toLowerCase(Locale.ROOT).replace("-", "")) {
      case "none":
      case "off":
      case "disable":
        return Duration.ZERO;
      case "fixeddelay":
        return flink.get(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_DELAY);
      case "failurerate":
        return flink.get(RestartStrategyOptions.RESTART_STRATEGY_FAILURE_RATE_DELAY);
      default:
        return flink.get(RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_MAX_BACKOFF);
    }
  }

  /** One sentence for each guarantee that the options give up. */
  List<String> warnings() {
    List<String> warnings = new ArrayList<>();
    if (!options.exactlyOnce()) {
      warnings.add(
          "%s is at-least-once: after a failure some completions are in their topic twice, and the"
                  .formatted(KafkaOptions.DELIVERY_GUARANTEE.key())
              + " throughput records count them twice");
    } else if (options.acceptLostTransactions()) {
      warnings.add(
          "%s is true: output that the broker aborts after its checkpoint is lost, and only"
                  .formatted(KafkaOptions.ACCEPT_LOST_TRANSACTIONS.key())
              + " Flink's log reports it");
    }
    limitOfRestarts()
        .ifPresent(
            limit ->
                warnings.add(
                    "%s: an outage of Kafka that lasts longer ends the job. Remove it; the job then"
                            .formatted(limit)
                        + " restarts after up to a minute, without a limit"));
    return warnings;
  }

  /** Returns the setting that limits the number of restarts, with its value. */
  private Optional<String> limitOfRestarts() {
    ConfigOption<String> type = RestartStrategyOptions.RESTART_STRATEGY;
    String strategy = flink.getOptional(type).orElse("exponential-delay");
    ConfigOption<Integer> attempts;
    switch (strategy.toLowerCase(Locale.ROOT).replace("-", "")) {
      case "none":
      case "off":
      case "disable":
      case "failurerate":
        return Optional.of("%s is %s".formatted(type.key(), strategy));
      case "fixeddelay":
        attempts = RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_ATTEMPTS;
        break;
      default:
        attempts = RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_ATTEMPTS;
    }
    return flink.get(attempts) == Integer.MAX_VALUE
        ? Optional.empty()
        : Optional.of("%s is %d".formatted(attempts.key(), flink.get(attempts)));
  }
}

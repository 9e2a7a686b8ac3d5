package dev.flinfer.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.CheckpointConfig;
import org.junit.jupiter.api.Test;

final class GuaranteesTest {
  private final Map<String, String> settings =
      new HashMap<>(Map.of("execution.checkpointing.interval", "10 s"));

  private Guarantees guarantees() {
    Map<String, String> all = new HashMap<>(settings);
    all.put("flinfer.kafka.bootstrap-servers", "kafka:9092");
    Configuration config = Configuration.fromMap(all);
    CheckpointConfig checkpoints = new CheckpointConfig();
    checkpoints.configure(config);
    return new Guarantees(JobOptions.from(config), config, checkpoints);
  }

  @Test
  void theDefaultsCanBeKept() {
    assertThatCode(() -> guarantees().check()).doesNotThrowAnyException();
    assertThat(guarantees().warnings()).isEmpty();
  }

  /**
   * The timeout is 900 s by default; the checkpoint takes 600 s of it, the wait and the restart a
   * minute each.
   */
  @Test
  void aTransactionOutlivesACheckpointAndARestart() {
    settings.put("execution.checkpointing.interval", "180 s");
    assertThatCode(() -> guarantees().check()).doesNotThrowAnyException();

    settings.put("execution.checkpointing.interval", "181 s");
    assertThatThrownBy(() -> guarantees().check())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "flinfer.kafka.transaction-timeout is 900 s; it must be at least 901 s, which is"
                + " execution.checkpointing.interval (181 s) and execution.checkpointing.timeout"
                + " (600 s), the longest wait of the restart strategy (60 s) and a restart (60 s)"
                + " together; otherwise the broker may abort output whose checkpoint is complete."
                + " Raise it, or lower the others");

    settings.put("flinfer.delivery-guarantee", "at-least-once");
    assertThatCode(() -> guarantees().check()).doesNotThrowAnyException();
  }

  @Test
  void checkpointsThatMayFailLeaveTheirTransactionsToTheNext() {
    settings.put("execution.checkpointing.timeout", "4 min");
    settings.put("execution.checkpointing.tolerable-failed-checkpoints", "2");
    assertThatCode(() -> guarantees().check()).doesNotThrowAnyException();

    settings.put("execution.checkpointing.min-pause", "21 s");
    assertThatThrownBy(() -> guarantees().check())
        .hasMessageContaining(
            "at least 903 s, which is execution.checkpointing.interval (21 s) and"
                + " execution.checkpointing.timeout (240 s) 3 times for"
                + " execution.checkpointing.tolerable-failed-checkpoints, the longest");
  }

  @Test
  void theRestartStrategyDeterminesTheWait() {
    settings.put("execution.checkpointing.interval", "4 min");
    assertThatThrownBy(() -> guarantees().check()).hasMessageContaining("at least 960 s");
    settings.put("restart-strategy.type", "none");
    assertThatCode(() -> guarantees().check()).doesNotThrowAnyException();
    settings.put("restart-strategy.type", "fixed-delay");
    settings.put("restart-strategy.fixed-delay.delay", "2 s");
    assertThatThrownBy(() -> guarantees().check()).hasMessageContaining("restart strategy (2 s)");
    settings.put("restart-strategy.type", "failure-rate");
    settings.put("restart-strategy.failure-rate.delay", "3 s");
    assertThatThrownBy(() -> guarantees().check()).hasMessageContaining("restart strategy (3 s)");
    settings.put("restart-strategy.type", "exponential-delay");
    settings.put("restart-strategy.exponential-delay.max-backoff", "4 s");
    assertThatThrownBy(() -> guarantees().check()).hasMessageContaining("restart strategy (4 s)");
  }

  @Test
  void refusesToRunWithoutCheckpoints() {
    Configuration config = Configuration.fromMap(Map.of("execution.checkpointing.interval", "0 s"));
    assertThatThrownBy(() -> Guarantees.requireCheckpoints(config))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "execution.checkpointing.interval is 0 ms; it must be at least 10 ms. Without"
                + " checkpoints nothing is committed, and a failure loses the requests in flight."
                + " Remove it to use 10 s");
    assertThatCode(() -> Guarantees.requireCheckpoints(new Configuration()))
        .doesNotThrowAnyException();
  }

  @Test
  void refusesCheckpointsThatRepeatRecords() {
    settings.put("execution.checkpointing.mode", "AT_LEAST_ONCE");
    assertThatThrownBy(() -> guarantees().check())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "execution.checkpointing.mode is AT_LEAST_ONCE and flinfer.delivery-guarantee"
                + " exactly-once; such checkpoints may repeat records. Remove it, or set the"
                + " latter to at-least-once");
    settings.put("flinfer.delivery-guarantee", "at-least-once");
    assertThatCode(() -> guarantees().check()).doesNotThrowAnyException();
  }

  @Test
  void refusesABoundedJobThatNeverCommitsItsEnd() {
    String key = "execution.checkpointing.checkpoints-after-tasks-finish";
    settings.put(key, "false");
    assertThatCode(() -> guarantees().check()).doesNotThrowAnyException();
    settings.put("flinfer.bounded", "true");
    assertThatThrownBy(() -> guarantees().check())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "%s is false and flinfer.bounded true; the last completions would never be"
                + " committed. Remove the former",
            key);
  }

  @Test
  void warnsOfGuaranteesThatAreGivenUp() {
    settings.put("flinfer.kafka.accept-lost-transactions", "true");
    assertThat(guarantees().warnings())
        .containsExactly(
            "flinfer.kafka.accept-lost-transactions is true: output that the broker aborts after"
                + " its checkpoint is lost, and only Flink's log reports it");
    settings.put("flinfer.delivery-guarantee", "at-least-once");
    assertThat(guarantees().warnings())
        .containsExactly(
            "flinfer.delivery-guarantee is at-least-once: after a failure some completions are"
                + " in their topic twice, and the throughput records count them twice");
  }

  @Test
  void warnsOfALimitOfRestarts() {
    String rest =
        ": an outage of Kafka that lasts longer ends the job. Remove it; the job then restarts after"
            + " up to a minute, without a limit";
    settings.put("restart-strategy.type", "exponential-delay");
    assertThat(guarantees().warnings()).isEmpty();
    settings.put("restart-strategy.exponential-delay.attempts-before-reset-backoff", "9");
    assertThat(guarantees().warnings())
        .containsExactly(
            "restart-strategy.exponential-delay.attempts-before-reset-backoff is 9" + rest);
    settings.put("restart-strategy.type", "fixed-delay");
    assertThat(guarantees().warnings())
        .containsExactly("restart-strategy.fixed-delay.attempts is 1" + rest);
    settings.put("restart-strategy.fixed-delay.attempts", "2147483647");
    assertThat(guarantees().warnings()).isEmpty();
    for (String type : new String[] {"none", "failure-rate"}) {
      settings.put("restart-strategy.type", type);
      assertThat(guarantees().warnings())
          .containsExactly("restart-strategy.type is " + type + rest);
    }
  }
}

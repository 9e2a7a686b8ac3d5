package dev.flinfer.jobs;

import static dev.flinfer.jobs.Waits.await;
import static dev.flinfer.jobs.Waits.awaitAnswers;
import static dev.flinfer.jobs.Waits.awaitHeld;
import static dev.flinfer.jobs.Waits.awaitRestarting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.core.execution.SavepointFormatType;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One failure of each kind. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
final class ExactlyOnceIT extends ExactlyOnceContract {
  /**
   * Number of answers, of {@value #PROMPTS}, after which a job is held so that it can be stopped or
   * killed halfway.
   */
  private static final int HELD = 60;

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theTaskManagerIsKilledHalfWay(boolean bounded) throws Exception {
    TestTopics topics = topics("killed-" + bounded);
    Configuration config = config(topics);
    config.setString("flinfer.bounded", Boolean.toString(bounded));
    JobClient job = submitHeld(topics, config, 2, HELD);
    cluster().replaceTaskManager();
    Faults.allowAllAnswers();
    end(topics, job, bounded);
    if (bounded) {
      assertThat(topics.committed()).as("offsets committed").isEqualTo(PROMPTS);
    }
    assertExactlyOnce(topics);
  }

  /** Waits for all answers, and for the end of the job, which comes by itself if it is bounded. */
  private static void end(TestTopics topics, JobClient job, boolean bounded) throws Exception {
    if (bounded) {
      await(job);
    } else {
      awaitAnswers(topics, allAnswers());
      job.cancel().get();
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  void theOperatorFailsAtRandomPoints(long seed) throws Exception {
    failAtRandomPoints(seed);
  }

  @Tag("release")
  @ParameterizedTest
  @MethodSource("moreSeeds")
  void theOperatorFailsAtMoreRandomPoints(long seed) throws Exception {
    failAtRandomPoints(seed);
  }

  static LongStream moreSeeds() {
    return LongStream.rangeClosed(3, 20);
  }

  private static void failAtRandomPoints(long seed) throws Exception {
    TestTopics topics = topics("random-" + seed);
    Faults.plan(seed, 4);
    await(submit(config(topics), 2));
    assertThat(Faults.log()).as("faults").isNotEmpty();
    assertExactlyOnce(topics);
  }

  @Test
  void theBrokerRestarts() throws Exception {
    TestTopics topics = topics("broker");
    JobClient job = submitHeld(topics, config(topics), 2, HELD);
    restartBroker();
    Faults.allowAllAnswers();
    await(job);
    assertExactlyOnce(topics);
  }

  /**
   * Sends fail, and closing the producers fails, too, which Flink would end the TaskManager for;
   * the cluster of this test has only one. Kafka's default timeouts are minutes.
   */
  @Test
  void theBrokerIsAwayUntilSendsFail() throws Exception {
    TestTopics topics = topics("away");
    runWithoutBrokerUntilAFailure(topics, config(topics));
    assertExactlyOnce(topics);
  }

  @Tag("release")
  @Test
  void theBrokerIsAwayUntilSendsWithoutTransactionsFail() throws Exception {
    TestTopics topics = topics("away-at-least-once");
    Configuration config = config(topics);
    config.setString("flinfer.delivery-guarantee", "at-least-once");
    runWithoutBrokerUntilAFailure(topics, config);
    assertAtLeastOnce(topics);
  }

  private static void runWithoutBrokerUntilAFailure(TestTopics topics, Configuration config)
      throws Exception {
    config.setString("flinfer.kafka.properties.delivery.timeout.ms", "1500");
    config.setString("flinfer.kafka.properties.request.timeout.ms", "1000");
    config.setString("flinfer.kafka.properties.default.api.timeout.ms", "1000");
    config.setString("flinfer.kafka.properties.max.block.ms", "1000");
    config.setString("restart-strategy.type", "exponential-delay");
    // No checkpoint between the commit and the failure, so that transactions are open.
    config.setString("execution.checkpointing.interval", "3 s");
    Faults.allowAnswers(HELD);
    JobClient job = submit(config, 2);
    awaitAnswers(topics, HELD);
    kafka().close();
    Faults.allowAllAnswers();
    awaitRestarting(job);
    startBroker();
    await(job);
  }

  /** Both run in one TaskManager, which must survive it. */
  @Test
  void aSecondJobWithThePrefixOfAnotherFailsWithTheReason() throws Exception {
    TestTopics topics = topics("first");
    JobClient first = submitHeld(topics, config(topics), 1, HELD);
    TestTopics others = topics("second");
    Configuration second = config(others);
    second.setString("flinfer.kafka.transactional-id-prefix", topics.name());
    second.setString("restart-strategy.type", "none");
    assertThatThrownBy(() -> await(submit(second, 1)))
        .rootCause()
        .hasMessageStartingWith(
            "Another job uses transactional ids that start with first, too, and");
    Faults.allowAllAnswers();
    await(first);
    assertExactlyOnce(topics);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void stoppedWithASavepointAndResumedWithOtherParallelism(boolean bounded) throws Exception {
    TestTopics topics = topics("savepoint-" + bounded);
    Configuration config = config(topics);
    config.setString("flinfer.bounded", Boolean.toString(bounded));
    for (int parallelism : new int[] {1, 3}) {
      String savepoint = stopWithSavepoint(submitHeld(topics, config, parallelism, HELD));
      config.setString("execution.state-recovery.path", savepoint);
      // Open transactions of the former prefix are aborted, those of the savepoint committed.
      config.removeKey("flinfer.kafka.transactional-id-prefix");
    }
    Faults.allowAllAnswers();
    end(topics, submit(config, 2), bounded);
    assertExactlyOnce(topics);
  }

  /** The broker aborts the records written before the stall; the job writes them again. */
  @Test
  void aTransactionTimesOutBeforeItsCheckpoint() throws Exception {
    TestTopics topics = topics("timed-out");
    Configuration config = config(topics);
    config.setString("flinfer.kafka.transaction-timeout", "2 s");
    config.setString("execution.checkpointing.timeout", "1 s");
    Faults.planStall(100, Duration.ofSeconds(20));
    await(submitUnchecked(config, 2));
    assertExactlyOnce(topics);
  }

  /**
   * The one case that no job can repair: the checkpoint is complete, and its transactions were
   * aborted before they could be committed. The job reports it, and continues only if the option
   * accepts the loss.
   */
  @Test
  void aTransactionThatTimedOutAfterItsCheckpointFailsTheJob() throws Exception {
    TestTopics topics = topics("lost");
    Configuration config = config(topics);
    config.setString("flinfer.kafka.transaction-timeout", "8 s");
    // There is no checkpoint other than the savepoint, so its transactions hold all answers.
    config.setString("execution.checkpointing.interval", "1 h");
    config.setString("restart-strategy.fixed-delay.attempts", "1");
    Faults.allowAnswers(HELD);
    JobClient job = submitUnchecked(config, 2);
    awaitHeld();
    // It does not commit them; a crash between checkpoint and commit leaves the same state.
    String savepoint =
        job.triggerSavepoint(dir() + "/savepoints", SavepointFormatType.CANONICAL).get();
    job.cancel().get();
    awaitAborted(topics);
    Faults.allowAllAnswers();

    config.setString("execution.state-recovery.path", savepoint);
    assertThatThrownBy(() -> await(submitUnchecked(config, 2)))
        .hasStackTraceContaining("The broker aborted transaction lost-")
        .hasStackTraceContaining(
            "although its checkpoint is complete: its output is lost. It was open for longer than"
                + " flinfer.kafka.transaction-timeout, because the job was down or stalled for that"
                + " long, or another job uses the transactional ids, too. Start the job from an older"
                + " checkpoint or savepoint, or continue without this output with"
                + " flinfer.kafka.accept-lost-transactions=true");

    config.setString("flinfer.kafka.accept-lost-transactions", "true");
    await(submitUnchecked(config, 2));
    assertThat(answers(topics)).hasSizeLessThan(allAnswers());
  }
}

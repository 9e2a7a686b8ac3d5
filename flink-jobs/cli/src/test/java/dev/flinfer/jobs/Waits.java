package dev.flinfer.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.core.execution.JobClient;

/** Waits until a job has got to a point, and fails after a time that is ample for that. */
final class Waits {
  static final long TIMEOUT_SECONDS = 120;

  private Waits() {}

  static void await(JobClient job) throws Exception {
    job.getJobExecutionResult().get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
  }

  /** Waits until the job has given the allowed answers. */
  static void awaitHeld() throws InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
    while (!Faults.heldNow()) {
      assertThat(System.nanoTime()).as("held in time").isLessThan(deadline);
      Thread.sleep(20);
    }
  }

  /** Waits until the job waits for its next attempt after a failure. */
  static void awaitRestarting(JobClient job) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
    while (job.getJobStatus().get() != JobStatus.RESTARTING) {
      assertThat(System.nanoTime()).as("restarting in time").isLessThan(deadline);
      Thread.sleep(20);
    }
  }

  /** Waits until a consumer sees the given number of answers. */
  static void awaitAnswers(TestTopics topics, int count) throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(TIMEOUT_SECONDS);
    while (topics.read(topics.output).size() < count) {
      assertThat(System.nanoTime()).as("%d answers in time", count).isLessThan(deadline);
    }
  }
}

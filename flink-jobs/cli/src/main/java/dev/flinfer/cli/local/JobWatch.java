package dev.flinfer.cli.local;

import dev.flinfer.cli.state.StateDirectory;
import java.io.IOException;
import java.time.Duration;

/**
 * Watches the job of {@code run} until it ends or is to be stopped, and stops it.
 *
 * @param state where the job's state is kept, null if it is not kept
 */
record JobWatch(
    LocalJob job, StopSignal stop, StateDirectory state, JobMonitor monitor, StatusPrinter status) {
  private static final Duration POLL = Duration.ofMillis(500);

  /** The same as the default timeout of a checkpoint. */
  private static final Duration STOP_TIMEOUT = Duration.ofMinutes(10);

  /** Returns the exit code of the command. */
  int untilTheEnd() throws IOException {
    try {
      while (!stop.await(POLL)) {
        monitor.progress().ifPresent(status::show);
        if (job.hasEnded()) {
          if (state != null) {
            state.end();
          }
          status.say("flinfer: the job has ended");
          return 0;
        }
        if (job.replaceLostTaskManager()) {
          status.say(
              "flinfer: Flink's TaskManager has ended, for the reason in the log; another is"
                  + " started");
        }
      }
      stopJob();
      return stop.exitCode();
    } finally {
      status.clear();
    }
  }

  private void stopJob() throws IOException {
    if (state == null) {
      status.say("flinfer: finishing the requests in flight; Ctrl-C again ends at once");
      job.drain(STOP_TIMEOUT);
      return;
    }
    status.say("flinfer: saving the requests in flight; Ctrl-C again ends at once");
    if (!job.suspend(state, STOP_TIMEOUT)) {
      status.say("flinfer: the job did not run; the next run continues from its last checkpoint");
    }
  }
}

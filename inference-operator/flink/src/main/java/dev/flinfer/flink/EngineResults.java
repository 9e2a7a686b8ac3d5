package dev.flinfer.flink;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.RequestFailedException;
import dev.flinfer.schema.Completion;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.util.function.ThrowingRunnable;

/**
 * Brings results from the engine's thread to the task thread: however many there are, at most one
 * mail is under way, so that a big batch does not flood the mailbox. Thread-safe.
 */
final class EngineResults {

  /**
   * What the engine said of a request: a completion, or a {@link RequestFailedException}, or an
   * {@link EngineException}.
   */
  record Result(InFlight request, Completion completion, RuntimeException failure) {}

  private final Queue<Result> results = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean mailUnderWay = new AtomicBoolean();
  private final MailboxExecutor mailbox;
  private final int maxAttempts;
  private final ThrowingRunnable<Exception> onMail;

  /**
   * @param maxAttempts see {@link GenerationListener#maxAttempts}
   * @param onMail runs in the task thread when there is something to {@link #poll}
   */
  EngineResults(MailboxExecutor mailbox, int maxAttempts, ThrowingRunnable<Exception> onMail) {
    this.mailbox = mailbox;
    this.maxAttempts = maxAttempts;
    this.onMail = onMail;
  }

  GenerationListener listener(InFlight request) {
    return new GenerationListener() {
      @Override
      public void onCompletion(Completion completion) {
        add(new Result(request, completion, null));
      }

      @Override
      public boolean streams() {
        return false;
      }

      @Override
      public int maxAttempts() {
        return maxAttempts;
      }

      @Override
      public void onRequestFailed(RequestFailedException failure) {
        add(new Result(request, null, failure));
      }

      @Override
      public void onFailure(EngineException failure) {
        add(new Result(request, null, failure));
      }
    };
  }

  /** The next result, null if there is none. */
  Result poll() {
    return results.poll();
  }

  private void add(Result result) {
    results.add(result);
    if (mailUnderWay.compareAndSet(false, true)) {
      try {
        mailbox.execute(this::deliver, "results of the inference engine");
      } catch (RejectedExecutionException e) {
        // The task has ended: nobody waits for the result, and a restore makes it again.
      }
    }
  }

  private void deliver() throws Exception {
    mailUnderWay.set(false); // first, so that a result added from here on sends a mail of its own
    onMail.run();
  }
}

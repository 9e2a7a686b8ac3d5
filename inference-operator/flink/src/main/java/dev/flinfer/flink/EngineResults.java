package dev.flinfer.flink;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.RequestFailedException;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.RejectionStage;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.util.function.ThrowingRunnable;

/**
 * Passes results from the engine's thread to the task thread: however many there are, at most one
 * mail is pending, so that a large batch does not flood the mailbox. Thread-safe.
 */
final class EngineResults {

  /**
   * The engine's result for a request: a completion, or an {@link InvalidRequestException}, a
   * {@link RequestFailedException} or an {@link EngineException}.
   */
  record Result(InFlight request, Completion completion, RuntimeException failure) {
    /** At what a request that failed did so. */
    RejectionStage stage() {
      return failure instanceof InvalidRequestException
          ? RejectionStage.VALIDATE
          : RejectionStage.GENERATE;
    }
  }

  private final Queue<Result> results = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean mailPending = new AtomicBoolean();
  private final MailboxExecutor mailbox;
  private final int maxAttempts;
  private final ThrowingRunnable<Exception> onMail;

  /**
   * @param maxAttempts see {@link GenerationListener#maxAttempts}
   * @param onMail runs in the task thread when there are results to {@link #poll}
   */
  EngineResults(MailboxExecutor mailbox, int maxAttempts, ThrowingRunnable<Exception> onMail) {
    this.mailbox = mailbox;
    this.maxAttempts = maxAttempts;
    this.onMail = onMail;
  }

  /**
   * @param compilation is notified when the request's pattern is compiled
   */
  GenerationListener listener(InFlight request, CompilationWatch compilation) {
    return new GenerationListener() {
      @Override
      public void onCompileStart() {
        compilation.start();
      }

      @Override
      public void onCompileEnd(Error error) {
        compilation.end(error);
      }

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
      public void onInvalid(InvalidRequestException why) {
        add(new Result(request, null, why));
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
    if (mailPending.compareAndSet(false, true)) {
      try {
        mailbox.execute(this::deliver, "results of the inference engine");
      } catch (RejectedExecutionException e) {
        // The task has ended: nothing waits for the result, and after a restore it is computed
        // again.
      }
    }
  }

  private void deliver() throws Exception {
    mailPending.set(false); // first, so that a result that is added later sends its own mail
    onMail.run();
  }
}

package dev.flinfer.tornado;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The only thread of this process that calls TornadoVM: a plan that several threads use, and plans
 * of several threads, crash the JVM (5.2.0). It lives as long as the process.
 */
final class TornadoThread {
  private static final ExecutorService EXECUTOR =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread thread = new Thread(task, "flinfer-tornado");
            thread.setDaemon(true);
            return thread;
          });

  private TornadoThread() {}

  /** Runs a task in that thread and waits for it, even if interrupted; rethrows its exceptions. */
  static <T> T call(Callable<T> task) {
    Future<T> future = EXECUTOR.submit(task);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return future.get();
        } catch (InterruptedException e) {
          interrupted = true; // a task on the device cannot be stopped
        } catch (ExecutionException e) {
          throw rethrown(e.getCause());
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static RuntimeException rethrown(Throwable cause) {
    if (cause instanceof RuntimeException) {
      return (RuntimeException) cause;
    }
    if (cause instanceof Error) {
      throw (Error) cause;
    }
    return new IllegalStateException(cause);
  }
}

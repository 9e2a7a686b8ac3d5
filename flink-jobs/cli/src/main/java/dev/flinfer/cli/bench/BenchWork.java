package dev.flinfer.cli.bench;

import com.sun.management.OperatingSystemMXBean;
import dev.flinfer.cli.UserError;
import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.EngineStats;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

/** Completes many requests with only an engine, as fast as possible. */
final class BenchWork {
  static final double NANOS_PER_SECOND = 1e9;

  /**
   * The time and the work to complete some requests.
   *
   * @param cpuSeconds CPU time of all threads of this process
   * @param tokens generated tokens
   * @param meanBatch mean number of sequences in a forward pass
   */
  record Result(double seconds, double cpuSeconds, long requests, long tokens, double meanBatch) {

    double tokensPerSecond() {
      return tokens / seconds;
    }

    double requestsPerSecond() {
      return requests / seconds;
    }

    /** Returns the requests/s of one core that does nothing else. */
    double requestsPerCpuSecond() {
      return requests / cpuSeconds;
    }
  }

  /**
   * A result and its completions.
   *
   * @param completions completions by the ids of their requests
   */
  record Run(Result result, Map<String, Completion> completions) {
    Run(double seconds, double cpuSeconds, double meanBatch, Map<String, Completion> completions) {
      this(
          new Result(
              seconds,
              cpuSeconds,
              completions.size(),
              completions.values().stream().mapToLong(Completion::getCompletionTokens).sum(),
              meanBatch),
          completions);
    }
  }

  /** Returns the mean number of sequences per forward pass between two sets of statistics. */
  static double meanBatch(EngineStats before, EngineStats after) {
    return (double) (after.sequences() - before.sequences()) / (after.steps() - before.steps());
  }

  private BenchWork() {}

  /** Returns the CPU time that this process has used. */
  static long cpuNanos() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
  }

  /** Submits the requests, all at once, and waits for all of their completions. */
  static Run run(LlmEngine engine, List<CompletionRequest> requests) {
    Completions completions = new Completions(requests.size());
    EngineStats before = engine.stats();
    long cpu = cpuNanos();
    long start = System.nanoTime();
    for (CompletionRequest request : requests) {
      engine.submit(request, GeneratedTokens.NONE, completions);
    }
    completions.await();
    double seconds = (System.nanoTime() - start) / NANOS_PER_SECOND;
    double cpuSeconds = (cpuNanos() - cpu) / NANOS_PER_SECOND;
    return new Run(seconds, cpuSeconds, meanBatch(before, engine.stats()), completions.byId);
  }

  /** Collects completions on the engine's thread; read after all have arrived. */
  private static final class Completions implements GenerationListener {
    final Map<String, Completion> byId = new HashMap<>();
    private final CountDownLatch missing;
    private volatile EngineException failure;

    Completions(int count) {
      missing = new CountDownLatch(count);
    }

    void await() {
      try {
        missing.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new UserError("interrupted", e);
      }
      if (failure != null) {
        throw failure;
      }
    }

    @Override
    public boolean streams() {
      return false; // as in the job
    }

    @Override
    public void onCompletion(Completion completion) {
      byId.put(completion.getId(), completion);
      missing.countDown();
    }

    @Override
    public void onFailure(EngineException why) {
      failure = why;
      missing.countDown();
    }
  }
}

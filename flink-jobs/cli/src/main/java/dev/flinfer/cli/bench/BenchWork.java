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

/** Completes many requests with an engine alone, as fast as it goes. */
final class BenchWork {
  static final double NANOS_PER_SECOND = 1e9;

  /**
   * What it took to complete some requests.
   *
   * @param cpuSeconds of all threads of this process
   * @param tokens generated
   * @param meanBatch sequences in a forward pass
   */
  record Result(double seconds, double cpuSeconds, long requests, long tokens, double meanBatch) {

    double tokensPerSecond() {
      return tokens / seconds;
    }

    double requestsPerSecond() {
      return requests / seconds;
    }

    /** What one core that does nothing else would do. */
    double requestsPerCpuSecond() {
      return requests / cpuSeconds;
    }
  }

  /**
   * A result and what came out.
   *
   * @param answers by the ids of their requests
   */
  record Run(Result result, Map<String, Completion> answers) {
    Run(double seconds, double cpuSeconds, double meanBatch, Map<String, Completion> answers) {
      this(
          new Result(
              seconds,
              cpuSeconds,
              answers.size(),
              answers.values().stream().mapToLong(Completion::getCompletionTokens).sum(),
              meanBatch),
          answers);
    }
  }

  /** Sequences in a forward pass on average, of those between two looks at an engine. */
  static double meanBatch(EngineStats before, EngineStats after) {
    return (double) (after.sequences() - before.sequences()) / (after.steps() - before.steps());
  }

  private BenchWork() {}

  /** Processor time that this process has taken. */
  static long cpuNanos() {
    return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
  }

  /** Submits the requests, all at once, and waits for all of their completions. */
  static Run run(LlmEngine engine, List<CompletionRequest> requests) {
    Answers answers = new Answers(requests.size());
    EngineStats before = engine.stats();
    long cpu = cpuNanos();
    long start = System.nanoTime();
    for (CompletionRequest request : requests) {
      engine.submit(request, GeneratedTokens.NONE, answers);
    }
    answers.await();
    double seconds = (System.nanoTime() - start) / NANOS_PER_SECOND;
    double cpuSeconds = (cpuNanos() - cpu) / NANOS_PER_SECOND;
    return new Run(seconds, cpuSeconds, meanBatch(before, engine.stats()), answers.byId);
  }

  /** Collects on the engine's thread; read when it has all. */
  private static final class Answers implements GenerationListener {
    final Map<String, Completion> byId = new HashMap<>();
    private final CountDownLatch missing;
    private volatile EngineException failure;

    Answers(int count) {
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

package dev.flinfer.jobs;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.EngineStats;
import dev.flinfer.engine.ForwardingEngine;
import dev.flinfer.engine.ForwardingListener;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.Generation;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.flink.EngineSupplier;
import dev.flinfer.jobs.Faults.Point;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.util.concurrent.locks.LockSupport;

/** The process's real engine, slowed down, with the failures that {@link Faults} plans. */
final class FaultyEngine extends ForwardingEngine {
  private volatile EngineException failure;
  private volatile boolean closed;

  private FaultyEngine(EngineOptions options) {
    super(open(options));
  }

  private static LlmEngine open(EngineOptions options) {
    Faults.hit(Point.OPEN);
    return EngineSupplier.shared().acquire(options);
  }

  static EngineSupplier supplier() {
    return FaultyEngine::new;
  }

  @Override
  public Generation submit(
      CompletionRequest request, GeneratedTokens resumeFrom, GenerationListener listener) {
    Faults.stall();
    try {
      Faults.hit(Point.SUBMIT);
    } catch (EngineException e) {
      failure = e;
    }
    if (failure != null) {
      throw failure;
    }
    Generation generation = super.submit(request, resumeFrom, new Faulty(listener));
    return new Generation() {
      @Override
      public GeneratedTokens progress() {
        Faults.hit(Point.SNAPSHOT);
        return generation.progress();
      }

      @Override
      public int promptTokens() {
        return generation.promptTokens();
      }

      @Override
      public void cancel() {
        generation.cancel();
      }
    };
  }

  private final class Faulty extends ForwardingListener {
    Faulty(GenerationListener listener) {
      super(listener);
    }

    @Override
    public void onCompletion(Completion completion) {
      LockSupport.parkNanos(Faults.PAUSE.toNanos());
      Faults.awaitAllowed(() -> closed);
      try {
        Faults.hit(Point.ANSWER);
      } catch (EngineException e) {
        failure = e;
      }
      if (failure == null) {
        super.onCompletion(completion);
      } else {
        onFailure(failure);
      }
    }
  }

  @Override
  public EngineStats stats() {
    Faults.hit(Point.REPORT);
    return super.stats();
  }

  @Override
  public boolean failed() {
    return failure != null || super.failed();
  }

  @Override
  public void close() {
    closed = true;
    super.close();
  }
}

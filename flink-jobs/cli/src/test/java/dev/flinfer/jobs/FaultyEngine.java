package dev.flinfer.jobs;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.EngineStats;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.Generation;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.ModelInfo;
import dev.flinfer.engine.RequestFailedException;
import dev.flinfer.flink.EngineSupplier;
import dev.flinfer.jobs.Faults.Point;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.util.concurrent.locks.LockSupport;

/** The process's real engine, slowed down, with the failures that {@link Faults} plans. */
final class FaultyEngine implements LlmEngine {
  private final LlmEngine engine;
  private volatile EngineException failure;
  private volatile boolean closed;

  private FaultyEngine(EngineOptions options) {
    Faults.hit(Point.OPEN);
    engine = EngineSupplier.shared().acquire(options);
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
    Generation generation = engine.submit(request, resumeFrom, new Faulty(listener));
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

  private final class Faulty implements GenerationListener {
    private final GenerationListener listener;

    Faulty(GenerationListener listener) {
      this.listener = listener;
    }

    @Override
    public void onToken(int token, String text) {
      listener.onToken(token, text);
    }

    @Override
    public int maxAttempts() {
      return listener.maxAttempts();
    }

    @Override
    public void onCompileStart() {
      listener.onCompileStart();
    }

    @Override
    public void onCompileEnd(Error error) {
      listener.onCompileEnd(error);
    }

    @Override
    public void onInvalid(InvalidRequestException e) {
      listener.onInvalid(e);
    }

    @Override
    public void onRequestFailed(RequestFailedException e) {
      listener.onRequestFailed(e);
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
        listener.onCompletion(completion);
      } else {
        listener.onFailure(failure);
      }
    }

    @Override
    public void onFailure(EngineException e) {
      listener.onFailure(e);
    }

    @Override
    public void onClose(EngineException closed) {
      listener.onClose(closed);
    }
  }

  @Override
  public ModelInfo model() {
    return engine.model();
  }

  @Override
  public EngineStats stats() {
    Faults.hit(Point.REPORT);
    return engine.stats();
  }

  @Override
  public boolean failed() {
    return failure != null || engine.failed();
  }

  @Override
  public void close() {
    closed = true;
    engine.close();
  }
}

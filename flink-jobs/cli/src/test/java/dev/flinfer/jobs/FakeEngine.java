package dev.flinfer.jobs;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.EngineStats;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.Generation;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.ModelInfo;
import dev.flinfer.engine.TokenlessGeneration;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.FinishReason;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/** Completes each prompt with its reversal, one at a time on a separate thread. */
final class FakeEngine implements LlmEngine {
  static final int MAX_MODEL_LEN = 2048; // in characters; the demo model's limit is in tokens

  private final ExecutorService thread =
      Executors.newSingleThreadExecutor(task -> new Thread(task, "fake-engine"));
  private final AtomicInteger answers = new AtomicInteger();
  private final int failAt;

  /** An engine that never fails. */
  FakeEngine() {
    this(0);
  }

  /**
   * @param failAt the device fails at this completion, counted from 1, and delays those before it;
   *     0 for no failure and no delay
   */
  FakeEngine(int failAt) {
    this.failAt = failAt;
  }

  @Override
  public Generation submit(
      CompletionRequest request, GeneratedTokens resumeFrom, GenerationListener listener) {
    validate(request);
    FakeGeneration generation = new FakeGeneration();
    thread.execute(
        () -> {
          if (failAt > 0) {
            LockSupport.parkNanos(20_000_000);
          }
          if (answers.incrementAndGet() == failAt) {
            listener.onFailure(new EngineException("the fake device is gone"));
          } else if (!generation.cancelled && (failAt == 0 || answers.get() < failAt)) {
            listener.onCompletion(answer(request));
          }
        });
    return generation;
  }

  private static void validate(CompletionRequest request) {
    if (request.getPrompt() == null || request.getPrompt().isEmpty()) {
      throw new InvalidRequestException("prompt is empty");
    }
    if (request.getPrompt().length() >= MAX_MODEL_LEN) {
      throw new InvalidRequestException("prompt is longer than max_model_len");
    }
    if (!Double.isFinite(request.getTemperature())) {
      throw new InvalidRequestException("temperature is " + request.getTemperature());
    }
  }

  private static Completion answer(CompletionRequest request) {
    String text = new StringBuilder(request.getPrompt()).reverse().toString();
    return Completion.newBuilder()
        .setId(request.getId())
        .setText(text)
        .setFinishReason(FinishReason.STOP)
        .setPromptTokens(request.getPrompt().length())
        .setCompletionTokens(text.length())
        .setTokenIds(List.of(1, 2))
        .setModel("fake")
        .setModelDigest("0")
        .setMetadata(Map.copyOf(request.getMetadata()))
        .build();
  }

  @Override
  public ModelInfo model() {
    return new ModelInfo("fake", "0", "fake", MAX_MODEL_LEN, 256);
  }

  @Override
  public EngineStats stats() {
    return new EngineStats(answers.get(), answers.get(), 0, 0, 0, 0, 0, 0, 0, 0, 1);
  }

  @Override
  public boolean failed() {
    return failAt > 0 && answers.get() >= failAt;
  }

  @Override
  public void close() {
    thread.shutdownNow();
  }

  private static final class FakeGeneration extends TokenlessGeneration {
    private volatile boolean cancelled;

    @Override
    public void cancel() {
      cancelled = true;
    }
  }
}

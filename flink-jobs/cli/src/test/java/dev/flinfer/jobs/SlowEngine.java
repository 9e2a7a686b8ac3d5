package dev.flinfer.jobs;

import dev.flinfer.engine.EngineStats;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.Generation;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.ModelInfo;
import dev.flinfer.engine.TokenlessGeneration;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.FinishReason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Generates one token per step for each request; a step takes a fixed time. */
final class SlowEngine implements LlmEngine {
  private final ScheduledExecutorService device = new ScheduledThreadPoolExecutor(1);
  private final List<Running> running = new ArrayList<>();

  SlowEngine(Duration step) {
    long nanos = step.toNanos();
    device.scheduleAtFixedRate(this::step, nanos, nanos, TimeUnit.NANOSECONDS);
  }

  @Override
  public synchronized Generation submit(
      CompletionRequest request, GeneratedTokens resumeFrom, GenerationListener listener) {
    Running one = new Running(request, listener);
    running.add(one);
    return one;
  }

  private synchronized void step() {
    running.removeIf(Running::step);
  }

  private final class Running extends TokenlessGeneration {
    private final CompletionRequest request;
    private final GenerationListener listener;
    private int left;

    Running(CompletionRequest request, GenerationListener listener) {
      this.request = request;
      this.listener = listener;
      this.left = request.getMaxTokens();
    }

    private boolean step() {
      if (--left > 0) {
        return false;
      }
      listener.onCompletion(
          Completion.newBuilder()
              .setId(request.getId())
              .setText("slow")
              .setFinishReason(FinishReason.LENGTH)
              .setPromptTokens(1)
              .setCompletionTokens(request.getMaxTokens())
              .setTokenIds(List.of(1))
              .setModel("slow")
              .setModelDigest("0")
              .setMetadata(Map.of())
              .build());
      return true;
    }

    @Override
    public void cancel() {
      synchronized (SlowEngine.this) {
        running.remove(this);
      }
    }
  }

  @Override
  public ModelInfo model() {
    return new ModelInfo("slow", "0", "slow", 2048, 256);
  }

  @Override
  public synchronized EngineStats stats() {
    return new EngineStats(0, 0, 0, 0, 0, 0, 0, running.size(), 0, 0, 1);
  }

  @Override
  public boolean failed() {
    return false;
  }

  @Override
  public void close() {
    device.shutdownNow();
  }
}

package dev.flinfer.flink;

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
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/** An engine that is slower than its input: it completes all its requests at intervals. */
final class SlowEngine implements LlmEngine {
  private static final long STEP_NANOS = TimeUnit.MICROSECONDS.toNanos(500);

  private record Held(CompletionRequest request, GenerationListener listener) {}

  private final Thread device = new Thread(this::run, "slow-device");
  private final int sampleEvery;
  private final IntConsumer sample;
  private List<Held> held = new ArrayList<>();
  private int most;
  private int answered;
  private boolean closed;

  /**
   * @param sampleEvery number of completions between two samples
   * @param sample called with the maximum number of requests held since the last sample
   */
  SlowEngine(int sampleEvery, IntConsumer sample) {
    this.sampleEvery = sampleEvery;
    this.sample = sample;
    device.setDaemon(true);
    device.start();
  }

  private void run() {
    while (!isClosed()) {
      LockSupport.parkNanos(STEP_NANOS);
      for (Held one : take()) {
        one.listener.onCompletion(completion(one.request));
        if (++answered % sampleEvery == 0) {
          sample.accept(takeMost());
        }
      }
    }
  }

  private synchronized boolean isClosed() {
    return closed;
  }

  private synchronized List<Held> take() {
    List<Held> taken = held;
    held = new ArrayList<>();
    most = Math.max(most, taken.size());
    return taken;
  }

  private synchronized int takeMost() {
    int taken = most;
    most = 0;
    return taken;
  }

  private static Completion completion(CompletionRequest request) {
    return Completion.newBuilder()
        .setId(request.getId())
        .setText("answered")
        .setFinishReason(FinishReason.STOP)
        .setPromptTokens(request.getPrompt().length())
        .setCompletionTokens(1)
        .setModel("slow")
        .setModelDigest("0")
        .build();
  }

  @Override
  public synchronized Generation submit(
      CompletionRequest request, GeneratedTokens resumeFrom, GenerationListener listener) {
    held.add(new Held(request, listener));
    int tokens = request.getPrompt().length();
    return new TokenlessGeneration() {
      @Override
      public int promptTokens() {
        return tokens;
      }

      @Override
      public void cancel() {}
    };
  }

  @Override
  public ModelInfo model() {
    return new ModelInfo("slow", "0", "test device", 8192, 50_000);
  }

  @Override
  public EngineStats stats() {
    return new EngineStats(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100);
  }

  @Override
  public boolean failed() {
    return false;
  }

  @Override
  public synchronized void close() {
    closed = true;
  }
}

package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.ForwardingEngine;
import dev.flinfer.engine.ForwardingListener;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.Generation;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.schema.CompletionRequest;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** A real engine whose device stops after a number of tokens until it may continue. */
final class PausingEngine extends ForwardingEngine {
  private final AtomicInteger left;
  private final CountDownLatch paused = new CountDownLatch(1);
  private final CountDownLatch mayContinue = new CountDownLatch(1);
  private final Map<String, GeneratedTokens> resumed = new ConcurrentHashMap<>();

  PausingEngine(LlmEngine engine, int tokens) {
    super(engine);
    this.left = new AtomicInteger(tokens);
  }

  void awaitPause() throws InterruptedException {
    assertThat(paused.await(30, TimeUnit.SECONDS)).isTrue();
  }

  void resume() {
    mayContinue.countDown();
  }

  /** The tokens with which a request was submitted. */
  GeneratedTokens resumedFrom(String id) {
    return resumed.get(id);
  }

  @Override
  public Generation submit(
      CompletionRequest request, GeneratedTokens resumeFrom, GenerationListener listener) {
    resumed.put(request.getId(), resumeFrom);
    return super.submit(request, resumeFrom, new Pausing(listener));
  }

  @Override
  public void close() {
    resume(); // otherwise a test that failed would wait for the device forever
    super.close();
  }

  private final class Pausing extends ForwardingListener {
    Pausing(GenerationListener listener) {
      super(listener);
    }

    /** Always, so that tokens can be counted. */
    @Override
    public boolean streams() {
      return true;
    }

    @Override
    public void onToken(int token, String text) {
      if (left.decrementAndGet() == 0) {
        paused.countDown();
        try {
          mayContinue.await();
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
      }
      super.onToken(token, text);
    }
  }
}

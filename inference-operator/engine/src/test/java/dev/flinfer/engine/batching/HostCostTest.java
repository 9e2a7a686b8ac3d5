package dev.flinfer.engine.batching;

import static dev.flinfer.engine.EngineOption.MAX_MODEL_LEN;
import static dev.flinfer.engine.EngineOption.MAX_NUM_SEQS;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.Requests;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.lang.management.ManagementFactory;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The cost of an engine in addition to the forward pass, on the thread that runs the device. */
final class HostCostTest {
  private static final int BATCH = 32;
  private static final int WARM = 300;
  private static final int MEASURED = 600;

  /**
   * One and a half times the maximum of many runs, 19.4. It consists of the growing array of
   * tokens, a map entry per KV block, and per step the statistics and, until the code is compiled,
   * iterators. An object per token, of 16 bytes at least, would exceed it.
   */
  private static final double MAX_BYTES = 30;

  @ParameterizedTest
  @CsvSource({"0, 0", "1, 0", "1, 40"})
  void aTokenAllocatesAlmostNothing(double temperature, int topK) throws Exception {
    CountDownLatch done = new CountDownLatch(BATCH);
    Allocated first = new Allocated(done);
    EngineOptions options =
        EngineOptions.builder("random:phi-2")
            .set(MAX_NUM_SEQS, BATCH)
            .set(MAX_MODEL_LEN, 1024)
            .build();
    try (LlmEngine engine = LlmEngine.openFree(options)) {
      for (int i = 0; i < BATCH; i++) {
        GenerationListener listener = i == 0 ? first : new Silent(done);
        engine.submit(request(i, temperature, topK), GeneratedTokens.NONE, listener);
      }
      assertThat(done.await(60, TimeUnit.SECONDS)).isTrue();
    }

    assertThat(first.bytes / (double) (MEASURED * BATCH)).isLessThan(MAX_BYTES).isPositive();
  }

  private static CompletionRequest request(int i, double temperature, int topK) {
    return Requests.greedy("cost-" + i, "some words, and number " + i, WARM + MEASURED + 2)
        .setTemperature(temperature)
        .setTopK(topK)
        .setIgnoreEos(true)
        .build();
  }

  /** Like the job's listener: receives only the completion. */
  private static class Silent implements GenerationListener {
    private final CountDownLatch done;

    Silent(CountDownLatch done) {
      this.done = done;
    }

    @Override
    public boolean streams() {
      return false;
    }

    @Override
    public void onCompletion(Completion completion) {
      done.countDown();
    }

    @Override
    public void onFailure(EngineException failure) {
      throw failure;
    }
  }

  /** Counts the bytes that the engine's thread allocates between two tokens. */
  private static final class Allocated extends Silent {
    private final ThreadMXBean threads = ManagementFactory.getPlatformMXBean(ThreadMXBean.class);
    volatile long bytes;
    private int received;

    Allocated(CountDownLatch done) {
      super(done);
    }

    @Override
    public boolean streams() {
      return true;
    }

    @Override
    public void onToken(int token, String text) {
      received++;
      if (received == WARM) {
        bytes = -threads.getCurrentThreadAllocatedBytes();
      } else if (received == WARM + MEASURED) {
        bytes += threads.getCurrentThreadAllocatedBytes();
      }
    }
  }
}

package dev.flinfer.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.EngineStats;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.Generation;
import dev.flinfer.engine.GenerationListener;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.ModelInfo;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.FinishReason;
import java.util.Collections;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;

final class BenchRunTest {

  @Test
  void anEngineWithIdenticalResultsInEachBatchIsInvariant() {
    assertThat(bench(submitted -> -1).isInvariant(4)).isTrue();
  }

  @Test
  void anEngineThatRoundsDifferentlyInABatchIsNotInvariant() {
    // The request alone is submitted first; in the batch its result differs by one bit.
    assertThat(bench(submitted -> submitted == 0 ? -1 : Math.nextUp(-1f)).isInvariant(4)).isFalse();
  }

  private static BenchRun bench(IntToDoubleFunction logprobs) {
    return new BenchRun(
        new Made(logprobs), new BenchReport.Lengths(8, 0, 2, 1), 0, System::nanoTime);
  }

  /** Completes at once, with log-probabilities that depend on the number of earlier requests. */
  private static final class Made implements LlmEngine {
    private final IntToDoubleFunction logprobs;
    private int submitted;

    Made(IntToDoubleFunction logprobs) {
      this.logprobs = logprobs;
    }

    @Override
    public Generation submit(
        CompletionRequest request, GeneratedTokens from, GenerationListener listener) {
      float logprob = (float) logprobs.applyAsDouble(submitted++);
      int tokens = request.getMaxTokens();
      for (int i = 0; i < tokens; i++) {
        listener.onToken(7, "x");
      }
      listener.onCompletion(
          Completion.newBuilder()
              .setId(request.getId())
              .setText("x".repeat(tokens))
              .setFinishReason(FinishReason.LENGTH)
              .setPromptTokens(request.getPromptTokenIds().size())
              .setCompletionTokens(tokens)
              .setTokenIds(Collections.nCopies(tokens, 7))
              .setLogprobs(
                  request.getLogprobs() == null ? null : Collections.nCopies(tokens, logprob))
              .setModel("made")
              .setModelDigest("")
              .setQueueTimeMs(0)
              .setTimeToFirstTokenMs(0)
              .setLatencyMs(0)
              .build());
      return null; // never canceled
    }

    @Override
    public ModelInfo model() {
      return new ModelInfo("made", "", "cpu", 64, 16);
    }

    @Override
    public EngineStats stats() {
      throw new UnsupportedOperationException("not asked for");
    }

    @Override
    public boolean failed() {
      return false;
    }

    @Override
    public void close() {}
  }
}

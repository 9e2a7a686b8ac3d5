package dev.flinfer.engine.batching;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.Generation;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.Requests;
import dev.flinfer.engine.TinyEngine;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionOutput;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.FinishReason;
import dev.flinfer.schema.InFlightRequest;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several outputs of one prompt, on a small random model. */
final class SequenceGroupTest {
  @TempDir static Path directory;

  @BeforeAll
  static void write() {
    TinyEngine.write(directory);
  }

  @Test
  void theOutputsDifferAndTheFirstIsThatOfASingleOutput() throws Exception {
    try (LlmEngine engine = engine(8)) {
      Completion four = get(engine, request(4), GeneratedTokens.NONE);
      Completion one = get(engine, request(1), GeneratedTokens.NONE);

      assertThat(four.getOutputs()).hasSize(4);
      Set<List<Integer>> different = new HashSet<>();
      int tokens = 0;
      for (CompletionOutput output : four.getOutputs()) {
        assertThat(output.getIndex()).isEqualTo(different.size());
        different.add(output.getTokenIds());
        tokens += output.getTokenIds().size();
        assertThat(output.getLogprobs()).hasSameSizeAs(output.getTokenIds());
        assertThat(output.getTopLogprobs()).hasSameSizeAs(output.getTokenIds());
      }
      assertThat(different).hasSize(4);
      assertThat(four.getCompletionTokens()).isEqualTo(tokens);
      assertThat(four.getTokenIds()).isEqualTo(four.getOutputs().get(0).getTokenIds());
      assertThat(four.getTokenIds()).isEqualTo(one.getTokenIds());
      assertThat(one.getOutputs()).isEmpty();
    }
  }

  @Test
  void thePromptIsComputedOnce() throws Exception {
    try (LlmEngine engine = engine(8)) {
      get(engine, request(4), GeneratedTokens.NONE);

      // 40 tokens: two full blocks are shared, the other 8 tokens are computed for each output.
      assertThat(engine.stats().promptTokens()).isEqualTo(40 + 3 * 8);
      assertThat(engine.stats().prefixCacheHits()).isEqualTo(3 * 2);
      assertThat(engine.stats().kvBlocksUsed()).isZero();
    }
  }

  @Test
  void moreOutputsThanFitInABatchAreTheSame() throws Exception {
    Completion wide;
    try (LlmEngine engine = engine(16)) {
      wide = get(engine, request(12), GeneratedTokens.NONE);
    }
    try (LlmEngine engine = engine(2)) {
      assertThat(get(engine, request(12), GeneratedTokens.NONE).getOutputs())
          .isEqualTo(wide.getOutputs());
    }
  }

  @Test
  void allOutputsContinueFromACheckpoint() throws Exception {
    try (LlmEngine engine = engine(8)) {
      Completion whole = get(engine, request(3), GeneratedTokens.NONE);
      GeneratedTokens all = GeneratedTokens.of(whole);
      for (int done = 0; done <= 12; done += 4) {
        List<GeneratedTokens> others = new ArrayList<>();
        for (GeneratedTokens other : all.others()) {
          others.add(Requests.first(other, 12 - done));
        }
        InFlightRequest state = new InFlightRequest();
        Requests.first(all, done).withOthers(others).writeTo(state);
        long before = engine.stats().generatedTokens();

        Completion resumed = get(engine, request(3), GeneratedTokens.of(state));

        assertThat(resumed.getOutputs()).as("from %d", done).isEqualTo(whole.getOutputs());
        assertThat(engine.stats().generatedTokens() - before).isEqualTo(12 - done + 2L * done);
      }
    }
  }

  @Test
  void progressHasTheTokensOfAllOutputs() throws Exception {
    try (LlmEngine engine = engine(8)) {
      CompletableFuture<GeneratedTokens> progress = new CompletableFuture<>();
      CompletableFuture<Generation> generation = new CompletableFuture<>();
      CompletableFuture<Completion> done = new CompletableFuture<>();
      generation.complete(
          engine.submit(
              request(3),
              GeneratedTokens.NONE,
              new Requests.FutureListener(done) {
                private int received;

                @Override
                public void onToken(int token, String text) {
                  if (++received == 7) {
                    progress.complete(generation.join().progress());
                  }
                }
              }));

      GeneratedTokens seven = progress.get(60, TimeUnit.SECONDS);
      GeneratedTokens whole = GeneratedTokens.of(done.get(60, TimeUnit.SECONDS));
      assertThat(seven.tokens()).isEqualTo(Requests.first(whole, 7).tokens());
      assertThat(seven.others()).hasSize(2);
      int others = seven.others().get(0).tokens().length;
      // The others start a step later, and the first is sampled first in a step.
      assertThat(others).isBetween(4, 6);
      assertThat(seven.others().get(0).tokens())
          .isEqualTo(Requests.first(whole.others().get(0), others).tokens());
    }
  }

  @Test
  void aDeadlineEndsAllAndACancelledGroupLeavesNothing() throws Exception {
    try (LlmEngine engine = engine(8)) {
      CompletionRequest late = request(3);
      late.setDeadline(1L);
      Completion ended = get(engine, late, GeneratedTokens.NONE);
      assertThat(ended.getOutputs())
          .hasSize(3)
          .allMatch(output -> output.getFinishReason() == FinishReason.DEADLINE);

      CompletableFuture<Completion> never = new CompletableFuture<>();
      CountDownLatch cancelled = new CountDownLatch(1);
      engine.submit(request(3), GeneratedTokens.NONE, new Waiting(never, cancelled)).cancel();
      cancelled.countDown();
      get(engine, request(1), GeneratedTokens.NONE);
      assertThat(engine.stats().running() + engine.stats().waiting()).isZero();
      assertThat(never).isNotDone();
    }
  }

  /** Holds the engine at the first token until the group is cancelled. */
  private static final class Waiting extends Requests.FutureListener {
    private final CountDownLatch mayContinue;

    Waiting(CompletableFuture<Completion> completion, CountDownLatch mayContinue) {
      super(completion);
      this.mayContinue = mayContinue;
    }

    @Override
    public void onToken(int token, String text) {
      try {
        mayContinue.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static CompletionRequest request(int n) {
    return Requests.greedy("a", "p".repeat(40), 12)
        .setTemperature(1)
        .setIgnoreEos(true)
        .setLogprobs(1)
        .setN(n)
        .build();
  }

  private static LlmEngine engine(int maxNumSeqs) {
    return TinyEngine.open(directory, maxNumSeqs);
  }

  private static Completion get(LlmEngine engine, CompletionRequest request, GeneratedTokens from)
      throws Exception {
    return TinyEngine.get(engine, request, from);
  }
}

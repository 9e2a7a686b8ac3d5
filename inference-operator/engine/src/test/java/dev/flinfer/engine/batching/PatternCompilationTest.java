package dev.flinfer.engine.batching;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.Generation;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.Requests;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.FinishReason;
import dev.flinfer.schema.StructuredOutputs;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Patterns whose compilation takes until the test permits it to continue. */
@Timeout(60)
final class PatternCompilationTest {
  private final CountDownLatch mayCompile = new CountDownLatch(1);
  private final CountDownLatch compiling = new CountDownLatch(1);
  private volatile long now;
  private final FaultyForwardPass forward = new FaultyForwardPass(40);
  private final LlmEngine engine =
      FaultyForwardPass.engine(forward, () -> Instant.ofEpochMilli(now));

  @AfterEach
  void close() {
    mayCompile.countDown();
    engine.close();
  }

  @Test
  void neitherSubmitNorAnotherRequestWaitsForAPattern() throws Exception {
    CompletableFuture<Completion> first = submit(regex("a", "[ab]{3}"));
    CompletableFuture<Completion> second = submit(regex("b", "[ab]{3}"));
    CompletableFuture<Completion> other = submit(regex("c", "x"));
    compiling.await();

    assertThat(get(submit(Requests.greedy("d", "prompt", 9))).getText()).isNotEmpty();
    assertThat(List.of(first, second, other)).noneMatch(CompletableFuture::isDone);
    assertThat(engine.stats().waiting()).isEqualTo(3);

    mayCompile.countDown();
    assertThat(get(first).getText()).matches("[ab]{3}");
    assertThat(get(second).getTokenIds()).isEqualTo(get(first).getTokenIds());
    assertThat(get(other).getText()).isEqualTo("x");
    assertThat(engine.stats().waiting()).isZero();
    assertThat(engine.stats().kvBlocksUsed()).isZero();
  }

  @Test
  void severalOutputsWaitForTheirPattern() throws Exception {
    CompletableFuture<Completion> several =
        submit(regex("a", "[ab]{6}").setN(3).setTemperature(1).setSeed(7L));
    compiling.await();
    mayCompile.countDown();

    assertThat(get(several).getOutputs())
        .hasSize(3)
        .allSatisfy(output -> assertThat(output.getText()).matches("[ab]{6}"));
  }

  @Test
  void aRestoredRequestKeepsItsTokensWhileItsPatternIsCompiled() throws Exception {
    Completion whole =
        Requests.submit(engine, regex("a", "[a-f]{9}").build(), GeneratedTokens.NONE)
            .get(30, TimeUnit.SECONDS);
    GeneratedTokens four = Requests.first(GeneratedTokens.of(whole), 4).withAttempts(2);
    CompletableFuture<Completion> done = new CompletableFuture<>();
    // Another regular expression for the same texts, which is not compiled yet.
    Generation restored =
        engine.submit(regex("a", "[abcdef]{9}").build(), four, new Compiling(done));
    compiling.await();
    get(submit(Requests.greedy("b", "prompt", 2))); // by then the tokens are replayed

    assertThat(restored.progress().tokens()).isEqualTo(four.tokens());
    assertThat(restored.progress().attempts()).isEqualTo(2);
    mayCompile.countDown();
    assertThat(get(done).getTokenIds()).isEqualTo(whole.getTokenIds());
    assertThat(get(submit(regex("a", "[abcdef]{9}"), GeneratedTokens.of(whole))).getTokenIds())
        .isEqualTo(whole.getTokenIds());
  }

  @Test
  void aDeadlinePassesWhileThePatternIsCompiled() throws Exception {
    CompletableFuture<Completion> late = submit(regex("a", "[ab]{3}").setDeadline(1000L));
    compiling.await();
    now = 1000;

    get(submit(Requests.greedy("b", "prompt", 2)));

    assertThat(get(late).getFinishReason()).isEqualTo(FinishReason.DEADLINE);
    assertThat(engine.stats().waiting()).isZero();
  }

  @Test
  void aRequestIsCancelledWhileItsPatternIsCompiled() throws Exception {
    CompletableFuture<Completion> done = new CompletableFuture<>();
    engine
        .submit(regex("a", "[ab]{3}").build(), GeneratedTokens.NONE, new Compiling(done))
        .cancel();
    compiling.await();
    get(submit(Requests.greedy("b", "prompt", 2)));
    assertThat(engine.stats().waiting()).isZero();

    mayCompile.countDown();
    assertThat(get(submit(regex("c", "[ab]{3}"))).getText()).matches("[ab]{3}");
    assertThat(done).isNotDone();
  }

  @Test
  void closingTheEngineDoesNotWaitForAPattern() throws Exception {
    CompletableFuture<Completion> done = submit(regex("a", "[ab]{3}"));
    CompletableFuture<Completion> queued = submit(regex("b", "x"));
    compiling.await();

    engine.close();

    for (CompletableFuture<Completion> outcome : List.of(done, queued)) {
      assertThatThrownBy(() -> get(outcome))
          .cause()
          .isInstanceOf(EngineException.class)
          .hasMessage("The engine for model fake is closed");
    }
  }

  @Test
  void aDeadDeviceFailsARequestWhosePatternIsCompiled() throws Exception {
    CompletableFuture<Completion> done = submit(regex("a", "[ab]{3}"));
    compiling.await();
    CountDownLatch submitted = new CountDownLatch(1);
    forward.throwsWhere(
        (step, plan) -> {
          await(submitted);
          return true;
        });
    submit(Requests.greedy("b", "prompt", 2));
    submitted.countDown();

    assertThatThrownBy(() -> get(done))
        .cause()
        .isInstanceOf(EngineException.class)
        .hasMessageStartingWith("The engine for model fake on a faulty device failed");
  }

  @Test
  void anInvalidPatternRejectsAllItsRequests() throws Exception {
    CompletableFuture<Completion> first = submit(regex("a", "(b"));
    CompletableFuture<Completion> several = submit(regex("b", "(b").setN(2).setTemperature(1));
    compiling.await();
    CompletableFuture<Completion> future =
        engine.submit(regex("c", "(b").build()).toCompletableFuture();
    mayCompile.countDown();

    for (CompletableFuture<Completion> outcome : List.of(first, several, future)) {
      assertThatThrownBy(() -> get(outcome))
          .cause()
          .isInstanceOf(InvalidRequestException.class)
          .hasMessage("structured_outputs.regex is invalid at position 0: '(' has no ')'");
    }
    get(submit(Requests.greedy("d", "prompt", 2)));
    assertThat(engine.stats().waiting()).isZero();
  }

  private CompletableFuture<Completion> submit(CompletionRequest.Builder request) {
    return submit(request, GeneratedTokens.NONE);
  }

  private CompletableFuture<Completion> submit(
      CompletionRequest.Builder request, GeneratedTokens from) {
    CompletableFuture<Completion> done = new CompletableFuture<>();
    engine.submit(request.build(), from, new Compiling(done));
    return done;
  }

  private static Completion get(CompletableFuture<Completion> outcome) throws Exception {
    return outcome.get(30, TimeUnit.SECONDS);
  }

  private static CompletionRequest.Builder regex(String id, String regex) {
    return Requests.greedy(id, "prompt", 20)
        .setStructuredOutputs(new StructuredOutputs(regex, null));
  }

  /** Completes a future; its pattern is compiled when the test permits it. */
  private final class Compiling extends Requests.FutureListener {
    Compiling(CompletableFuture<Completion> done) {
      super(done);
    }

    @Override
    public void onCompileStart() {
      compiling.countDown();
      await(mayCompile);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

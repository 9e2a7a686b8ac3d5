package dev.flinfer.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.weights.DType;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Submitting without a listener. */
final class CompletionFutureTest {
  @TempDir static Path directory;

  @BeforeAll
  static void write() {
    RandomCheckpoint.write(directory.resolve("tiny"), RandomCheckpoint.Shape.EVEN, DType.F16, 11);
  }

  @Test
  void theStageReturnsTheCompletionAndThePiecesAreItsText() {
    try (LlmEngine engine = open()) {
      for (CompletionRequest request :
          List.of(
              Requests.greedy("a", "stream", 25).build(),
              Requests.greedy("b", "choose", 25).setChoices(List.of("x", "yz")).build())) {
        StringBuilder pieces = new StringBuilder();
        Completion streamed = engine.submit(request, pieces::append).toCompletableFuture().join();
        Completion plain = engine.submit(request).toCompletableFuture().join();

        assertThat(pieces).hasToString(streamed.getText());
        assertThat(plain.getText()).isEqualTo(streamed.getText()).isNotEmpty();
      }
    }
  }

  @Test
  void closingTheEngineEndsTheStage() {
    LlmEngine engine = open();
    CompletableFuture<Completion> future =
        engine.submit(Requests.greedy("a", "x", 120).build()).toCompletableFuture();
    engine.close();

    assertThatThrownBy(() -> future.orTimeout(60, TimeUnit.SECONDS).join())
        .isInstanceOf(CompletionException.class)
        .hasCauseInstanceOf(EngineException.class)
        .hasMessageEndingWith("The engine for model tiny is closed");
  }

  @Test
  void cancellingTheFutureTakesTheRequestOutOfTheEngine() {
    try (LlmEngine engine = open()) {
      CompletableFuture<Completion> future =
          engine.submit(Requests.greedy("a", "x", 120).build()).toCompletableFuture();
      assertThat(future.cancel(true)).isTrue();
      engine.submit(Requests.greedy("b", "y", 3).build()).toCompletableFuture().join();

      assertThat(engine.stats().kvBlocksUsed()).isZero();
      assertThat(engine.stats().generatedTokens()).isLessThan(120);
    }
  }

  @Test
  void aCallbackThatThrowsEndsItsRequestOnly() {
    try (LlmEngine engine = open()) {
      CompletableFuture<Completion> broken =
          engine
              .submit(
                  Requests.greedy("a", "x", 120).build(),
                  text -> {
                    throw new IllegalStateException("full");
                  })
              .toCompletableFuture();
      assertThatThrownBy(broken::join).hasRootCauseMessage("full");

      assertThat(engine.submit(Requests.greedy("b", "y", 3).build()).toCompletableFuture().join())
          .isNotNull();
      assertThat(engine.failed()).isFalse();
    }
  }

  private static LlmEngine open() {
    return LlmEngine.open(TestOptions.cpu(directory.resolve("tiny"), 1, 64, 2));
  }
}

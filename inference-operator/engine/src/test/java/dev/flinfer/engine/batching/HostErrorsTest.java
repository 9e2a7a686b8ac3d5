package dev.flinfer.engine.batching;

import static dev.flinfer.engine.batching.FaultRuns.engine;
import static dev.flinfer.engine.batching.FaultRuns.failure;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.RequestFailedException;
import dev.flinfer.engine.Requests;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The host's own work for a request fails, not the device. */
@Timeout(60)
final class HostErrorsTest {
  @Test
  void aListenerThatThrowsEndsItsOwnRequestOnly() throws Exception {
    try (LlmEngine engine = engine(new FaultyForwardPass(40))) {
      CompletableFuture<Completion> broken = new CompletableFuture<>();
      engine.submit(
          Requests.greedy("broken", "p", 20).build(),
          GeneratedTokens.NONE,
          new Requests.FutureListener(broken) {
            @Override
            public void onToken(int token, String text) {
              throw new UnsupportedOperationException("no");
            }
          });
      Completion other =
          Requests.submit(engine, Requests.greedy("a", "p", 20).build(), GeneratedTokens.NONE)
              .get(30, TimeUnit.SECONDS);
      assertThat(other.getCompletionTokens()).isPositive();
      RequestFailedException why = failure(broken);
      assertThat(why.attempts()).isZero();
      assertThat(why)
          .hasMessage(
              "Sampling for request broken failed: java.lang.UnsupportedOperationException: no");
    }
  }

  /** Each stage of the host's work for a request: start, sampling, completion. */
  @Test
  void anErrorOfTheHostEndsItsOwnRequestOnly() throws Exception {
    try (LlmEngine engine = engine(new FaultyForwardPass(40))) {
      CompletableFuture<Completion> other =
          Requests.submit(engine, Requests.greedy("a", "p", 60).build(), GeneratedTokens.NONE);
      for (Error error :
          List.of(new StackOverflowError(), new OutOfMemoryError("Java heap space"))) {
        for (int tokens : new int[] {1, 9}) { // the last token is passed on at completion
          CompletableFuture<Completion> broken = new CompletableFuture<>();
          engine.submit(
              Requests.greedy("broken", "p", tokens).setIgnoreEos(true).build(),
              GeneratedTokens.NONE,
              new Requests.FutureListener(broken) {
                @Override
                public void onToken(int token, String text) {
                  throw error;
                }
              });
          assertThat(failure(broken))
              .hasMessage(
                  (tokens == 1 ? "Completing" : "Sampling for")
                      + " request broken failed: "
                      + error);
        }
      }
      CompletableFuture<Completion> unstarted =
          Requests.submit(engine, Requests.greedy("broken", "p", 9).build(), null);
      assertThat(failure(unstarted)).hasMessageStartingWith("Starting request broken failed: ");
      assertThat(other.get(30, TimeUnit.SECONDS).getCompletionTokens()).isPositive();
      Requests.submit(engine, Requests.greedy("b", "p", 1).build(), GeneratedTokens.NONE)
          .get(30, TimeUnit.SECONDS);
      assertThat(engine.failed()).isFalse();
      assertThat(engine.stats().kvBlocksUsed()).isZero();
    }
  }

  @Test
  void anErrorWhileARequestIsCheckedRejectsIt() {
    try (LlmEngine engine = engine(new FaultyForwardPass(40))) {
      for (Error error :
          List.of(new StackOverflowError(), new OutOfMemoryError("Java heap space"))) {
        CompletionRequest request =
            new CompletionRequest() {
              @Override
              public String getPrompt() {
                throw error;
              }
            };
        request.setId("a");
        CompletionRequest complete = CompletionRequest.newBuilder().build();
        complete.getSchema().getFields().stream()
            .filter(field -> !field.name().equals("id"))
            .forEach(field -> request.put(field.pos(), complete.get(field.pos())));
        assertThatThrownBy(() -> engine.submit(request))
            .isInstanceOf(InvalidRequestException.class)
            .hasMessage(
                "request a cannot be checked: %s; it needs more memory than there is. Shorten it",
                error)
            .hasCause(error);
      }
    }
  }
}

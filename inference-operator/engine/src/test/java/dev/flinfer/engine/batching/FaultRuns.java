package dev.flinfer.engine.batching;

import static dev.flinfer.engine.batching.PoisonedRequests.requests;
import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.RequestFailedException;
import dev.flinfer.engine.Requests;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/** Runs requests on a {@link FaultyForwardPass} and compares their outcomes. */
final class FaultRuns {
  private FaultRuns() {}

  static RequestFailedException failure(CompletableFuture<Completion> outcome) throws Exception {
    try {
      throw new AssertionError("completed: " + outcome.get(30, TimeUnit.SECONDS));
    } catch (ExecutionException e) {
      assertThat(e.getCause())
          .isInstanceOf(EngineException.class)
          .hasCauseInstanceOf(RequestFailedException.class);
      return (RequestFailedException) e.getCause().getCause();
    }
  }

  static Map<String, CompletableFuture<Completion>> submit(
      LlmEngine engine, List<CompletionRequest> requests) {
    Map<String, CompletableFuture<Completion>> outcomes = new HashMap<>();
    for (CompletionRequest request : requests) {
      outcomes.put(request.getId(), Requests.submit(engine, request, GeneratedTokens.NONE));
    }
    return outcomes;
  }

  static Map<String, Completion> run(List<CompletionRequest> requests, FaultyForwardPass forward)
      throws Exception {
    try (LlmEngine engine = engine(forward)) {
      Map<String, Completion> completions = new HashMap<>();
      for (var outcome : submit(engine, requests).entrySet()) {
        completions.put(outcome.getKey(), outcome.getValue().get(30, TimeUnit.SECONDS));
      }
      assertThat(engine.stats().kvBlocksUsed()).isZero();
      return completions;
    }
  }

  static void assertSame(Map<String, Completion> actual, Map<String, Completion> undisturbed) {
    assertThat(actual.keySet()).isEqualTo(undisturbed.keySet());
    actual.forEach(
        (id, completion) -> {
          Completion expected = undisturbed.get(id);
          assertThat(completion.getTokenIds()).as(id).isEqualTo(expected.getTokenIds());
          assertThat(completion.getLogprobs()).as(id).isEqualTo(expected.getLogprobs());
          assertThat(completion.getTopLogprobs()).as(id).isEqualTo(expected.getTopLogprobs());
          assertThat(completion.getOutputs()).as(id).isEqualTo(expected.getOutputs());
          assertThat(completion.getText()).as(id).isEqualTo(expected.getText());
          assertThat(completion.getLabelProbabilities())
              .as(id)
              .isEqualTo(expected.getLabelProbabilities());
          assertThat(completion.getFinishReason()).as(id).isEqualTo(expected.getFinishReason());
        });
  }

  static LlmEngine engine(FaultyForwardPass forward) {
    return FaultyForwardPass.engine(forward, InstantSource.system());
  }
}

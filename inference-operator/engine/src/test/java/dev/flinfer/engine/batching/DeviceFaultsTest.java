package dev.flinfer.engine.batching;

import static dev.flinfer.engine.batching.FaultRuns.assertSame;
import static dev.flinfer.engine.batching.FaultRuns.engine;
import static dev.flinfer.engine.batching.FaultRuns.failure;
import static dev.flinfer.engine.batching.FaultRuns.run;
import static dev.flinfer.engine.batching.FaultRuns.submit;
import static dev.flinfer.engine.batching.PoisonedRequests.POISON;
import static dev.flinfer.engine.batching.PoisonedRequests.poisoned;
import static dev.flinfer.engine.batching.PoisonedRequests.requests;
import static dev.flinfer.engine.batching.PoisonedRequests.unlabelled;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.RequestFailedException;
import dev.flinfer.engine.Requests;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A forward pass that fails on chosen tokens, at chosen steps or always. */
@Timeout(60)
final class DeviceFaultsTest {
  /** A step fails independently of its requests. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5})
  void aStepThatFailsOnceChangesNoCompletion(int seed) throws Exception {
    List<CompletionRequest> requests = requests(seed, 24);
    Map<String, Completion> undisturbed = run(requests, new FaultyForwardPass(40));

    FaultyForwardPass forward = new FaultyForwardPass(40);
    forward.throwsWhere((step, plan) -> step % 11 == seed);
    assertSame(run(requests, forward), undisturbed);
    assertThat(forward.steps()).isGreaterThan(11);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5})
  void onlyTheFailingRequestsAreRejectedAndTheOthersAreBitIdentical(int seed) throws Exception {
    List<CompletionRequest> innocent = requests(seed, 20);
    Map<String, Completion> undisturbed = run(innocent, new FaultyForwardPass(30));
    List<CompletionRequest> all = new ArrayList<>(innocent);
    for (int i = 0; i < 4; i++) {
      all.add(new Random(seed + i).nextInt(all.size()), poisoned("poison" + i, 3 + 11 * i));
    }

    FaultyForwardPass forward = new FaultyForwardPass(30);
    forward.throwsWhere((step, plan) -> FaultyForwardPass.holds(plan, POISON));
    try (LlmEngine engine = engine(forward)) {
      Map<String, CompletableFuture<Completion>> outcomes = submit(engine, all);
      Map<String, Completion> completed = new HashMap<>();
      for (CompletionRequest request : innocent) {
        completed.put(request.getId(), outcomes.get(request.getId()).get(30, TimeUnit.SECONDS));
      }
      assertSame(completed, undisturbed);
      for (int i = 0; i < 4; i++) {
        RequestFailedException why = failure(outcomes.get("poison" + i));
        assertThat(why.attempts()).isEqualTo(3);
        assertThat(why)
            .hasMessageMatching(
                "The forward pass over request poison"
                    + i
                    + " alone failed 3 times: java.lang.IllegalStateException:"
                    + " CL_OUT_OF_RESOURCES in step \\d+")
            .hasCauseInstanceOf(IllegalStateException.class);
      }
      assertThat(engine.stats().failedSteps()).isBetween(12L, 16L + 4);
      assertThat(engine.stats().kvBlocksUsed()).isZero();
      assertThat(engine.failed()).isFalse();
    }
  }

  static List<Error> errors() {
    return List.of(
        new OutOfMemoryError("Java heap space"),
        new StackOverflowError(),
        new NoClassDefFoundError("a/Kernel"));
  }

  @ParameterizedTest
  @MethodSource("errors")
  void anErrorInAStepIsHandledLikeAnException(Error error) throws Exception {
    List<CompletionRequest> innocent = requests(2, 12);
    Map<String, Completion> undisturbed = run(innocent, new FaultyForwardPass(30));
    List<CompletionRequest> all = new ArrayList<>(innocent);
    all.add(4, poisoned("poison", 9));

    FaultyForwardPass forward = new FaultyForwardPass(30);
    forward.failsWith(step -> error);
    forward.throwsWhere((step, plan) -> FaultyForwardPass.holds(plan, POISON));
    try (LlmEngine engine = engine(forward)) {
      Map<String, CompletableFuture<Completion>> outcomes = submit(engine, all);
      assertThat(failure(outcomes.remove("poison")))
          .hasMessage("The forward pass over request poison alone failed 3 times: " + error);
      Map<String, Completion> completed = new HashMap<>();
      for (var outcome : outcomes.entrySet()) {
        completed.put(outcome.getKey(), outcome.getValue().get(30, TimeUnit.SECONDS));
      }
      assertSame(completed, undisturbed);
    }
  }

  @ParameterizedTest
  @MethodSource("errors")
  void aDeviceThatThrowsErrorsForEverythingFailsTheEngine(Error error) {
    FaultyForwardPass forward = new FaultyForwardPass(40);
    CompletableFuture<Void> submitted = new CompletableFuture<>();
    forward.failsWith(step -> error);
    forward.throwsWhere(
        (step, plan) -> {
          submitted.join();
          return true;
        });
    try (LlmEngine engine = engine(forward)) {
      CompletableFuture<Completion> outcome =
          Requests.submit(engine, Requests.greedy("a", "p", 3).build(), GeneratedTokens.NONE);
      submitted.complete(null);
      assertThatThrownBy(() -> outcome.get(30, TimeUnit.SECONDS))
          .cause()
          .isInstanceOf(EngineException.class)
          .hasMessageContaining("a forward pass over one token fails too: " + error);
    }
  }

  @Test
  void aRequestThatFailsOccasionallyStartsItsAttemptsAgainWithEachToken() throws Exception {
    FaultyForwardPass forward = new FaultyForwardPass(20);
    List<CompletionRequest> one = List.of(Requests.greedy("a", "alone", 15).build());
    Map<String, Completion> undisturbed = run(one, new FaultyForwardPass(20));
    forward.throwsWhere((step, plan) -> step % 3 != 0); // two failures, then a success

    assertSame(run(one, forward), undisturbed);
  }

  @Test
  void aRequestWithNanLogitsIsRejectedByItself() throws Exception {
    List<CompletionRequest> innocent = requests(7, 12);
    Map<String, Completion> undisturbed = run(innocent, new FaultyForwardPass(40));
    List<CompletionRequest> all = new ArrayList<>(innocent);
    all.add(5, poisoned("poison", 37)); // as the last token of a prompt, whose logits are needed
    all.add(
        6,
        Requests.greedy("labels", null, 1)
            .setPromptTokenIds(List.of(1, 2, POISON))
            .setChoices(List.of("a", "b"))
            .build());

    FaultyForwardPass forward = new FaultyForwardPass(40);
    forward.nanWhere(token -> token == POISON);
    try (LlmEngine engine = engine(forward)) {
      Map<String, CompletableFuture<Completion>> outcomes = submit(engine, all);
      assertThat(failure(outcomes.get("poison")))
          .hasMessage(
              "The forward pass over request poison alone failed 3 times:"
                  + " java.lang.IllegalStateException: its logits are NaN");
      assertThat(failure(outcomes.get("labels")).attempts()).isEqualTo(3);
      Map<String, Completion> completed = new HashMap<>();
      for (CompletionRequest request : innocent) {
        completed.put(request.getId(), outcomes.get(request.getId()).get(30, TimeUnit.SECONDS));
      }
      assertSame(completed, undisturbed);
    }
  }

  @Test
  void aGroupFailsAsAWholeAndLeavesNothing() throws Exception {
    FaultyForwardPass forward = new FaultyForwardPass(40);
    forward.throwsWhere((step, plan) -> FaultyForwardPass.holds(plan, POISON));
    CompletionRequest group =
        Requests.greedy("group", null, 20)
            .setPromptTokenIds(List.of(1, 2, 3))
            .setTemperature(1)
            .setN(4)
            .setLogitBias(Map.of(Integer.toString(POISON), 6.0)) // some output samples it
            .build();
    try (LlmEngine engine = engine(forward)) {
      Map<String, CompletableFuture<Completion>> outcomes =
          submit(engine, List.of(group, Requests.greedy("a", "other", 20).build()));
      assertThat(failure(outcomes.get("group")).attempts()).isEqualTo(3);
      outcomes.get("a").get(30, TimeUnit.SECONDS);
      assertThat(engine.stats().running() + engine.stats().waiting()).isZero();
      assertThat(engine.stats().kvBlocksUsed()).isZero();
    }
  }

  @Test
  void attemptsContinueFromTheProgress() throws Exception {
    FaultyForwardPass forward = new FaultyForwardPass(20);
    forward.throwsWhere((step, plan) -> FaultyForwardPass.holds(plan, POISON));
    try (LlmEngine engine = engine(forward)) {
      CompletableFuture<Completion> outcome =
          Requests.submit(engine, poisoned("p", 5), GeneratedTokens.NONE.withAttempts(2));
      assertThat(failure(outcome).attempts()).isEqualTo(3);
      assertThat(forward.steps())
          .isEqualTo(2); // the request by itself, and the probe of the device
    }
  }

  @Test
  void aDeviceThatFailsOnEverythingFailsTheEngineAndRejectsNothing() throws Exception {
    FaultyForwardPass forward = new FaultyForwardPass(40);
    CompletableFuture<Void> allSubmitted = new CompletableFuture<>();
    forward.throwsWhere(
        (step, plan) -> {
          allSubmitted.join();
          return step > 2;
        });
    try (LlmEngine engine = engine(forward)) {
      Map<String, CompletableFuture<Completion>> outcomes = submit(engine, unlabelled(10));
      allSubmitted.complete(null);
      for (CompletableFuture<Completion> outcome : outcomes.values()) {
        assertThatThrownBy(() -> outcome.get(30, TimeUnit.SECONDS))
            .cause()
            .isInstanceOf(EngineException.class)
            .hasMessageStartingWith("The engine for model fake on a faulty device failed: ")
            .hasMessageContaining("a forward pass over one token fails too: ");
      }
      assertThat(engine.failed()).isTrue();
    }
    assertThat(forward.closed()).isTrue();
  }

  @Test
  void weightsThatGiveOnlyNanFailTheEngine() throws Exception {
    FaultyForwardPass forward = new FaultyForwardPass(40);
    CompletableFuture<Void> submitted = new CompletableFuture<>();
    forward.nanWhere(
        token -> {
          submitted.join();
          return true;
        });
    try (LlmEngine engine = engine(forward)) {
      Map<String, CompletableFuture<Completion>> outcomes = submit(engine, requests(3, 2));
      submitted.complete(null);
      for (CompletableFuture<Completion> outcome : outcomes.values()) {
        assertThatThrownBy(() -> outcome.get(30, TimeUnit.SECONDS))
            .cause()
            .isInstanceOf(EngineException.class)
            .hasMessageContaining(
                "the logits of one token are NaN; the weights of model fake are broken");
      }
    }
  }
}

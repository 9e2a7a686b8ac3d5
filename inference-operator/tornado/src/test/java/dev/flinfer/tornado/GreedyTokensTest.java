package dev.flinfer.tornado;

import static dev.flinfer.engine.EngineOption.DEVICE;
import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.Requests;
import dev.flinfer.engine.device.DeviceInfo;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.schema.Completion;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole engines: on every device the greedy tokens of the Java CPU engine. */
final class GreedyTokensTest {
  private static final List<String> PROMPTS = List.of("a", "hello there", "x".repeat(40));
  private static final int TOKENS = 24;

  @TempDir Path model;

  @ParameterizedTest
  @ValueSource(longs = {1, 2})
  void onRandomCheckpointsTheyAreThoseOfTheCpuEngine(long seed) throws Exception {
    RandomCheckpoint.write(model, RandomCheckpoint.Shape.EVEN, DType.F16, seed);
    List<List<Integer>> expected = tokens("cpu");
    for (DeviceInfo device : new TornadoBackend().devices()) {
      assertThat(tokens(device.id())).as(device.id()).isEqualTo(expected);
    }
  }

  private List<List<Integer>> tokens(String device) throws Exception {
    EngineOptions options = EngineOptions.builder(model.toString()).parse(DEVICE, device).build();
    try (LlmEngine engine = LlmEngine.open(options)) {
      List<CompletableFuture<Completion>> completions =
          PROMPTS.stream()
              .map(p -> Requests.greedy(p, p, TOKENS).setIgnoreEos(true).build())
              .map(request -> Requests.submit(engine, request, GeneratedTokens.NONE))
              .toList();
      List<List<Integer>> tokens = new ArrayList<>();
      for (CompletableFuture<Completion> completion : completions) {
        tokens.add(completion.get(120, TimeUnit.SECONDS).getTokenIds());
      }
      assertThat(tokens).allSatisfy(ids -> assertThat(ids).hasSize(TOKENS));
      return tokens;
    }
  }
}

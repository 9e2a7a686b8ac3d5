package dev.flinfer.engine;

import static dev.flinfer.engine.EngineOption.DEVICE;
import static dev.flinfer.engine.EngineOption.KV_CACHE_DTYPE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flinfer.engine.tokenizer.Tokenizer;
import dev.flinfer.schema.Completion;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Compares the engine with {@code expected.json} of the demo model, which {@code reference.py} next
 * to it computes from the same files in Python, in doubles.
 */
final class DemoModelTest {
  private static final Path MODEL = Path.of("..", "..", "deploy", "demo-model");

  @Test
  void tokenizesLikeTheReference() throws IOException {
    Tokenizer tokenizer = Tokenizer.load(MODEL);
    JsonNode cases = expected().get("tokenizer");
    assertThat(cases).hasSizeGreaterThan(40);
    for (JsonNode example : cases) {
      assertThat(tokenizer.encode(example.get("text").asText()))
          .as("%s", example.get("text"))
          .containsExactly(example.get("ids").valueStream().mapToInt(JsonNode::asInt).toArray());
    }
  }

  /** With the default type of keys and values too, greedy tokens are those of f32. */
  @ParameterizedTest
  @CsvSource({"F32, 2e-4", "F16, 5e-3"})
  void generatesLikeTheReference(KvCacheType type, double tolerance) throws Exception {
    JsonNode cases = expected().get("greedy");
    assertThat(cases).hasSizeGreaterThan(15);
    try (LlmEngine engine = LlmEngine.open(options(type))) {
      List<CompletableFuture<Completion>> completions = new ArrayList<>();
      for (JsonNode example : cases) {
        completions.add(
            Requests.submit(
                engine,
                Requests.greedy("a", example.get("prompt").asText(), 48).setLogprobs(1).build(),
                GeneratedTokens.NONE));
      }
      for (int i = 0; i < cases.size(); i++) {
        JsonNode example = cases.get(i);
        Completion completion = completions.get(i).get(60, TimeUnit.SECONDS);
        assertThat(completion.getText()).isEqualTo(example.get("text").asText());
        assertThat(completion.getTokenIds())
            .isEqualTo(example.get("ids").valueStream().map(JsonNode::asInt).toList());
        for (int t = 0; t < completion.getCompletionTokens(); t++) {
          assertThat((double) completion.getLogprobs().get(t))
              .as("token %d of %s", t, example.get("text"))
              .isCloseTo(example.get("logprobs").get(t).asDouble(), within(tolerance));
        }
      }
    }
  }

  private static EngineOptions options(KvCacheType type) {
    return EngineOptions.builder(MODEL.toString())
        .set(DEVICE, DeviceSpecifier.CPU)
        .parse(KV_CACHE_DTYPE, type.toString())
        .build();
  }

  private static JsonNode expected() throws IOException {
    return new ObjectMapper().readTree(MODEL.resolve("expected.json").toFile());
  }
}

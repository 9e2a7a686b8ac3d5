package dev.flinfer.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.flinfer.engine.device.NaivePhi;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.FinishReason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The differences of Phi-1 and Phi-1.5 from Phi-2: the heads, and no end-of-text token. */
final class Phi15Test {
  /**
   * Phi-1.5's heads of 64 dimensions, half of them rotated, and its wide MLP; smaller otherwise.
   */
  private static final RandomCheckpoint.Shape SHAPE =
      new RandomCheckpoint.Shape(128, 2, 2, 512, 300, 64, 0.5);

  @TempDir Path directory;
  private RandomCheckpoint checkpoint;

  @BeforeEach
  void write() throws IOException {
    checkpoint = RandomCheckpoint.write(directory, SHAPE, DType.F16, 5);
    Path file = directory.resolve("config.json");
    ObjectNode config = (ObjectNode) new ObjectMapper().readTree(file.toFile());
    Files.writeString(file, config.putNull("eos_token_id").toString());
  }

  @Test
  void greedyTokensAreThoseOfTheFormulas() throws Exception {
    Completion completion = complete(Requests.greedy("a", "phi", 12).setIgnoreEos(true));

    List<Integer> tokens = new ArrayList<>();
    "phi".chars().forEach(tokens::add);
    for (int token : completion.getTokenIds()) {
      double[][] all =
          new NaivePhi(checkpoint).logits(tokens.stream().mapToInt(Integer::intValue).toArray());
      double[] logits = all[all.length - 1];
      for (double logit : logits) {
        assertThat(logits[token]).isGreaterThan(logit - 1e-3);
      }
      tokens.add(token);
    }
    assertThat(completion.getTokenIds()).hasSize(12);
  }

  @Test
  void theTokenizersEndOfTextTokenEndsATextIfTheConfigurationNamesNone() throws Exception {
    Map<String, Double> end = Map.of(Integer.toString(RandomCheckpoint.END_OF_TEXT), 100.0);
    Completion completion = complete(Requests.greedy("a", "phi", 12).setLogitBias(end));

    assertThat(completion.getFinishReason()).isEqualTo(FinishReason.STOP);
    assertThat(completion.getTokenIds()).containsExactly(RandomCheckpoint.END_OF_TEXT);
    assertThat(completion.getText()).isEmpty();
  }

  @Test
  void anEndOfTextTokenBeyondTheModelsTokensIsRefused() throws IOException {
    Path file = directory.resolve("tokenizer.json");
    ObjectNode tokenizer = (ObjectNode) new ObjectMapper().readTree(file.toFile());
    ((ObjectNode) tokenizer.path("added_tokens").path(0)).put("id", 300);
    Files.writeString(file, tokenizer.toString());

    assertThatThrownBy(() -> LlmEngine.open(EngineOptions.of(directory)))
        .hasMessage(
            directory.getFileName()
                + ": the tokenizer's token <|endoftext|> has the id 300; the model has tokens up to"
                + " 299");
  }

  private Completion complete(CompletionRequest.Builder request) throws Exception {
    try (LlmEngine engine = LlmEngine.open(EngineOptions.of(directory))) {
      return Requests.submit(engine, request.build(), GeneratedTokens.NONE)
          .get(30, TimeUnit.SECONDS);
    }
  }
}

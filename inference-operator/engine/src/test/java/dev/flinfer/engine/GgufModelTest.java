package dev.flinfer.engine;

import static dev.flinfer.engine.EngineOption.WEIGHTS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.WeightFileException;
import dev.flinfer.schema.Completion;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The engine on GGUF files. */
final class GgufModelTest {
  private static final RandomCheckpoint.Shape SHAPE = RandomCheckpoint.Shape.EVEN;

  @TempDir Path directory;

  @Test
  void theKindOfFileDoesNotChangeTheCompletion() throws Exception {
    Path file = directory.resolve("m.gguf");
    RandomGguf.write(file, SHAPE, DType.F32, 3);
    Path checkpoint = directory.resolve("m");
    RandomCheckpoint.write(checkpoint, SHAPE, DType.F32, 3);
    Completion one = completion(file, "auto");
    Completion other = completion(checkpoint, "auto");
    assertThat(one.getTokenIds()).isEqualTo(other.getTokenIds());
    assertThat(one.getLogprobs()).isEqualTo(other.getLogprobs());
  }

  @Test
  void convertingWeightsGivesThoseOfAStoredFile() throws Exception {
    Path stored = directory.resolve("q8.gguf");
    // The embedding is not converted, so both files have the same one.
    RandomGguf.write(
        stored, SHAPE, name -> name.startsWith("token_embd") ? DType.F32 : DType.Q8_0, true, 4);
    Path floats = directory.resolve("f32.gguf");
    RandomGguf.write(floats, SHAPE, DType.F32, 4);
    assertThat(completion(floats, "q8_0").getLogprobs())
        .isEqualTo(completion(stored, "auto").getLogprobs())
        .isNotEqualTo(completion(floats, "auto").getLogprobs());
  }

  @Test
  void filesHaveDifferentNamesAndDigests() {
    Path file = directory.resolve("tiny.Q8_0.gguf");
    RandomGguf.write(file, SHAPE, DType.Q8_0, 1);
    Path other = directory.resolve("tiny.Q4_0.gguf");
    RandomGguf.write(other, SHAPE, DType.Q4_0, 1);
    try (LlmEngine engine = LlmEngine.open(EngineOptions.of(file));
        LlmEngine second = LlmEngine.open(EngineOptions.of(other))) {
      assertThat(engine.model().name()).isEqualTo("tiny.Q8_0.gguf");
      assertThat(engine.model().vocabSize()).isEqualTo(SHAPE.vocab());
      assertThat(engine.model().digest())
          .matches("[0-9a-f]{64}")
          .isNotEqualTo(second.model().digest());
    }
  }

  @Test
  void digestsTellModelsApartThatDifferInTheirWeightsAlone() {
    for (int seed : new int[] {1, 2}) {
      RandomGguf.write(directory.resolve(seed + ".gguf"), SHAPE, DType.Q8_0, seed);
      RandomCheckpoint.write(directory.resolve("dir" + seed), SHAPE, DType.F16, seed);
    }
    assertThat(digest("1.gguf")).isEqualTo(digest("1.gguf")).isNotEqualTo(digest("2.gguf"));
    assertThat(digest("dir1")).isEqualTo(digest("dir1")).isNotEqualTo(digest("dir2"));
  }

  private String digest(String model) {
    try (ModelFiles files = ModelFiles.open(directory.resolve(model).toString())) {
      return files.digest();
    }
  }

  /** Whichever byte of the header is changed, the file is read or refused. */
  @Test
  void damagedHeadersDoNoHarm() throws Exception {
    Path whole = directory.resolve("whole.gguf");
    RandomGguf.write(whole, SHAPE, DType.Q4_0, 1);
    byte[] bytes = Files.readAllBytes(whole);
    Path file = directory.resolve("damaged.gguf");
    Random random = new Random(1);
    int read = 0;
    for (int i = 0; i < 500; i++) {
      byte[] damaged = bytes.clone();
      damaged[random.nextInt(12_000)] = (byte) random.nextInt();
      Files.write(file, damaged);
      try (ModelFiles files = ModelFiles.open(file.toString())) {
        PhiWeights.of(files.checkpoint(), files.config());
        files.tokenizer().encode("the cat");
        read++;
      } catch (WeightFileException e) {
        assertThat(e).hasMessageStartingWith(file + ": ");
      }
    }
    assertThat(read).isBetween(1, 499);
  }

  @ParameterizedTest
  @EnumSource(names = {"F32", "F16", "BF16", "Q8_0", "Q4_1"})
  void nanWeightsAreRefused(DType dtype) {
    for (String broken : new String[] {"model.layers.1.mlp.fc2.weight", "lm_head.bias"}) {
      refusesNan(dtype, broken);
    }
    refusesNan(dtype, "model.embed_tokens.weight");
  }

  private void refusesNan(DType dtype, String broken) {
    Path file = directory.resolve(broken + dtype + ".gguf");
    RandomGguf.write(
        file,
        SHAPE,
        name -> dtype,
        true,
        1,
        (name, values) -> {
          if (name.equals(broken)) {
            values[values.length - 1] = Float.NaN;
          }
        });
    assertThatThrownBy(() -> LlmEngine.open(EngineOptions.of(file)))
        .isInstanceOf(WeightFileException.class)
        .hasMessageStartingWith(file + ": tensor ")
        .hasMessageContaining("holds NaN or infinity at or after element ")
        .hasMessageEndingWith("computes only NaN. Download the file again");
  }

  private static Completion completion(Path model, String weights) throws Exception {
    EngineOptions options =
        TestOptions.cpu(model, 4, 16, 2).toBuilder().parse(WEIGHTS, weights).build();
    try (LlmEngine engine = LlmEngine.open(options)) {
      return Requests.submit(
              engine,
              Requests.greedy("a", "a cat sat", 20).setLogprobs(1).build(),
              GeneratedTokens.NONE)
          .get(60, TimeUnit.SECONDS);
    }
  }
}

package dev.flinfer.engine.batching;

import static dev.flinfer.engine.EngineOption.DEVICE;
import static dev.flinfer.engine.EngineOption.MAX_MODEL_LEN;
import static dev.flinfer.engine.EngineOption.MAX_NUM_BATCHED_TOKENS;
import static dev.flinfer.engine.EngineOption.MAX_NUM_SEQS;
import static dev.flinfer.engine.EngineOption.MODEL;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.DeviceSpecifier;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.OptionNames;
import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.device.StepLimits;
import dev.flinfer.engine.weights.DType;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Errors that are found when an engine opens name options as their caller does. */
final class NamedOptionsTest {
  private static final OptionNames NAMES = new OptionNames("flinfer.", '-', Map.of());

  @TempDir private Path model;

  @BeforeEach
  void writeModel() {
    RandomCheckpoint.write(model, RandomCheckpoint.Shape.ODD, DType.F32, 1);
  }

  private EngineOptions.Builder options() {
    return EngineOptions.builder(NAMES)
        .set(MODEL, model.toString())
        .set(DEVICE, DeviceSpecifier.CPU);
  }

  @Test
  void theModelsLimit() {
    EngineOptions tooLong = options().set(MAX_MODEL_LEN, 1 << 20).build();
    assertThatThrownBy(() -> LlmEngine.open(tooLong))
        .hasMessageStartingWith("flinfer.max-model-len is 1048576; the model's max_position_");
  }

  @Test
  void arraysOfTheHeap() {
    EngineOptions tooWide = options().set(MAX_NUM_BATCHED_TOKENS, 1 << 26).build();
    assertThatThrownBy(() -> LlmEngine.open(tooWide))
        .hasMessageStartingWith("flinfer.max-num-batched-tokens is 67108864; with ");
  }

  @Test
  void rowsOfLogits() {
    StepLimits few = StepLimits.of(options().build());
    assertThat(few.logitsOption(NAMES))
        .isEqualTo("rows of logits (flinfer.max-num-batched-tokens, up to 64)");
    StepLimits many = StepLimits.of(options().set(MAX_NUM_SEQS, 100).build());
    assertThat(many.logitsOption(NAMES)).isEqualTo("flinfer.max-num-seqs");
  }
}

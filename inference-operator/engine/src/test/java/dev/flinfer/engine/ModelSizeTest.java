package dev.flinfer.engine;

import static dev.flinfer.engine.EngineOption.CPU_PRODUCTS;
import static dev.flinfer.engine.EngineOption.DEVICE;
import static dev.flinfer.engine.EngineOption.WEIGHTS;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ModelSizeTest {
  private static final long LAYERS = 2 * (4 * 48 * 48 + 2 * 48 * 96);
  private static final long HEAD = 300 * 48;

  @TempDir Path directory;

  @BeforeEach
  void write() {
    TinyEngine.write(directory); // in fp16
  }

  @Test
  void aForwardPassReadsTheWeightsInTheTypeInWhichTheyRun() {
    assertThat(size("java", "auto").weightBytes()).isEqualTo(2 * (LAYERS + HEAD));
    assertThat(size("java", "f32").weightBytes()).isEqualTo(4 * (LAYERS + HEAD));
    assertThat(size("onednn", "auto").weightBytes()).isEqualTo(2 * (LAYERS + HEAD));
    assertThat(size("onednn", "w8a8").weightBytes()).isEqualTo(LAYERS + 2 * HEAD);
    assertThat(size("onednn", "w8a8").flopsPerToken()).isEqualTo(2 * (LAYERS + HEAD));
  }

  private ModelSize size(String products, String weights) {
    return ModelSize.of(
        EngineOptions.builder(directory.resolve("tiny").toString())
            .set(DEVICE, DeviceSpecifier.CPU)
            .parse(CPU_PRODUCTS, products)
            .parse(WEIGHTS, weights)
            .build());
  }
}

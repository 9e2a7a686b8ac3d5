package dev.flinfer.tornado;

import static dev.flinfer.engine.EngineOption.KV_CACHE_DTYPE;
import static dev.flinfer.engine.EngineOption.MAX_NUM_BATCHED_TOKENS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.device.Backend;
import dev.flinfer.engine.device.DeviceInfo;
import dev.flinfer.engine.device.DevicePlan;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.StepBuffers;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.Safetensors;
import java.nio.file.Path;
import java.util.ServiceLoader;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class TornadoBackendTest {
  private static final StepBuffers ONE_TOKEN =
      new StepBuffers(
          new int[] {7}, new int[] {0}, new int[] {0}, new int[][] {{0}}, new int[] {0});

  /** (105 + 45) x 33 in the layers, each dimension padded to panels of 32. */
  private static final long MATRICES = 2L * (64 * 160 + 128 * 64) + 64 * 288;

  private static final long BIASES = 2L * (160 + 64) + 288;
  private static final long REST = 271 * 33 + 2 * 2 * 33 + 2 * 33 + 64 * 4;

  @TempDir Path model;
  private final TornadoBackend backend = new TornadoBackend();
  private Safetensors files;
  private PhiConfig config;
  private PhiWeights weights;
  private EngineOptions options;

  @BeforeEach
  void openModel() {
    RandomCheckpoint.write(model, RandomCheckpoint.Shape.ODD, DType.F16, 1);
    config = PhiConfig.load(model);
    files = Safetensors.open(model);
    weights = PhiWeights.of(files, config);
    options = options(KvCacheType.F32);
  }

  private EngineOptions options(KvCacheType kvCacheType) {
    return EngineOptions.builder(model.toString())
        .set(MAX_NUM_BATCHED_TOKENS, 32)
        .parse(KV_CACHE_DTYPE, kvCacheType.toString())
        .build();
  }

  @AfterEach
  void closeModel() {
    files.close();
  }

  @Test
  void isFoundByTheEngine() {
    assertThat(ServiceLoader.load(Backend.class)).anyMatch(TornadoBackend.class::isInstance);
  }

  @Test
  void devicesAreNumberedByDriver() {
    assertThat(backend.devices())
        .isNotEmpty()
        .allSatisfy(
            device -> {
              assertThat(device.id()).matches("(opencl|ptx|cuda):\\d");
              assertThat(device.memoryBytes()).isPositive();
              assertThat(device.maxAllocationBytes()).isPositive();
              assertThat(device.weightTypes()).contains(DType.F32, DType.Q8_0);
              assertThat(device.kvCacheTypes()).contains(KvCacheType.F32);
              assertThat(device.weightTypes().contains(DType.F16))
                  .isEqualTo(device.kvCacheTypes().contains(KvCacheType.F16));
            });
  }

  @Test
  void thePlanCountsEveryArray() {
    DevicePlan plan = backend.plan(device("opencl:0", DType.F32), config, weights, options);

    assertThat(plan.weightBytes()).isEqualTo(4 * (MATRICES + BIASES + REST));
    assertThat(plan.largestBytes()).isEqualTo(4L * 2 * 64 * 160);
    assertThat(plan.kvBlockBytes()).isEqualTo(2L * 2 * 33 * 16 * 4);
  }

  @Test
  void inFp16MatricesAndKeysAndValuesTakeHalf() {
    DevicePlan plan =
        backend.plan(
            device("opencl:0", DType.F32, DType.F16), config, weights, options(KvCacheType.F16));

    assertThat(plan.weightBytes()).isEqualTo(2 * MATRICES + 4 * (BIASES + REST));
    assertThat(plan.largestBytes()).isEqualTo(2L * 2 * 64 * 160);
    assertThat(plan.kvBlockBytes()).isEqualTo(2L * 2 * 33 * 16 * 2);
  }

  private static DeviceInfo device(String id, DType... weightTypes) {
    return new DeviceInfo(
        id, "x", DeviceInfo.Kind.GPU, 1, 1, Set.of(weightTypes), Set.of(KvCacheType.values()));
  }

  @Test
  void nothingRunsAfterClose() {
    ForwardPass forward = backend.open(backend.devices().get(0), config, weights, options, 4);
    float[] logits = new float[config.vocabSize()];
    forward.forward(ONE_TOKEN, logits);
    forward.close();
    forward.close();

    assertThatThrownBy(() -> forward.forward(ONE_TOKEN, logits))
        .isInstanceOf(EngineException.class)
        .hasMessageMatching("the forward pass on device .* is closed");
  }

  @Test
  void aDeviceThatIsGoneIsNamed() {
    DeviceInfo there = backend.devices().get(0);
    DeviceInfo gone =
        new DeviceInfo(
            "opencl:99", "x", DeviceInfo.Kind.GPU, 1, 1, there.weightTypes(), there.kvCacheTypes());

    assertThatThrownBy(() -> backend.open(gone, config, weights, options, 4))
        .isInstanceOf(EngineException.class)
        .hasMessageStartingWith("device opencl:99 is gone; TornadoVM has [" + there.id());
  }
}

package dev.flinfer.tornado;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.device.DeviceInfo;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.ForwardPassContract;
import dev.flinfer.engine.device.StepBuffers;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.Safetensors;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The contract with weights, or keys and values, or both in fp16, on every device that has fp16;
 * PoCL up to 6 does not.
 */
@ParameterizedClass(name = "{0}", allowZeroInvocations = true)
@MethodSource("settings")
final class HalfForwardPassTest extends ForwardPassContract {
  private static final int[][] ONE_BLOCK = {{0}};

  @TempDir Path model;
  @Parameter Settings settings;

  static List<Settings> settings() {
    List<Settings> all = new ArrayList<>();
    for (DeviceInfo device : new TornadoBackend().devices()) {
      if (device.kvCacheTypes().contains(KvCacheType.F16)) {
        for (DeviceInfo.Kind kind : List.of(DeviceInfo.Kind.CPU, DeviceInfo.Kind.GPU)) {
          DeviceInfo kernels = Variants.of(device, kind, device.weightTypes());
          all.add(Variants.of(kernels, DType.F16, KvCacheType.F32, false));
          all.add(Variants.of(kernels, null, KvCacheType.F16, false));
        }
        all.add(Variants.of(device, DType.F16, KvCacheType.F16, HalfProducts.runOn(device)));
      }
    }
    return Variants.withEager(all);
  }

  /** Weights that were not in fp16 are rounded, as are keys and values, and with cuBLAS inputs. */
  @Override
  protected double tolerance() {
    return 2e-2;
  }

  @Override
  protected ForwardPass open(PhiConfig config, PhiWeights weights, int blocks, int maxRows) {
    return Variants.open(settings, config, weights, blocks, maxRows);
  }

  /** Our own kernels multiply in fp32, whatever the type of the weights. */
  @Test
  void fp16WeightsGiveTheBitsOfTheSameWeightsInFp32() {
    assumeFalse(settings.cublas(), "cuBLAS rounds inputs to fp16");
    RandomCheckpoint.write(model, RandomCheckpoint.Shape.ODD, DType.F16, 5);
    PhiConfig config = PhiConfig.load(model);
    try (Safetensors files = Safetensors.open(model)) {
      PhiWeights weights = PhiWeights.of(files, config);
      Settings half = Variants.of(settings.info(), DType.F16, settings.kvCacheType(), false);
      Settings full = Variants.of(settings.info(), DType.F32, settings.kvCacheType(), false);

      assertThat(logits(half, config, weights)).containsExactly(logits(full, config, weights));
    }
  }

  private static float[] logits(Settings settings, PhiConfig config, PhiWeights weights) {
    int[] rows = {0, 1, 2, 3, 4};
    StepBuffers step =
        new StepBuffers(new int[] {7, 11, 3, 200, 0}, rows, new int[5], ONE_BLOCK, rows);
    float[] logits = new float[5 * config.vocabSize()];
    try (ForwardPass forward = Variants.open(settings, config, weights, 1, 8)) {
      forward.forward(step, logits);
    }
    return logits;
  }
}

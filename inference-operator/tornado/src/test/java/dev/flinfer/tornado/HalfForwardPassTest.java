package dev.flinfer.tornado;

import dev.flinfer.engine.DeviceInfo;
import dev.flinfer.engine.ForwardPass;
import dev.flinfer.engine.ForwardPassContract;
import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The contract with weights, or keys and values, or both in fp16, on every device that has it; none
 * on PoCL up to 6.
 */
@ParameterizedClass(name = "{0}", allowZeroInvocations = true)
@MethodSource("settings")
final class HalfForwardPassTest extends ForwardPassContract {
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

  /** Weights that were not in fp16 are rounded, keys and values too; with cuBLAS inputs as well. */
  @Override
  protected double tolerance() {
    return 2e-2;
  }

  @Override
  protected ForwardPass open(PhiConfig config, PhiWeights weights, int blocks, int maxRows) {
    return Variants.open(settings, config, weights, blocks, maxRows);
  }
}

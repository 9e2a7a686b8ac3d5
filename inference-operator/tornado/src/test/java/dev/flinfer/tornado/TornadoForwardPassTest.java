package dev.flinfer.tornado;

import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.device.DeviceInfo;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.device.ForwardPassContract;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The contract on every available device, with the kernels for CPUs and those for GPUs, and, on
 * devices that have CUDA graphs, with and without them.
 */
@ParameterizedClass(name = "{0}")
@MethodSource("settings")
final class TornadoForwardPassTest extends ForwardPassContract {
  @Parameter Settings settings;

  static List<Settings> settings() {
    List<Settings> all = new ArrayList<>();
    for (DeviceInfo device : new TornadoBackend().devices()) {
      for (DeviceInfo.Kind kind : List.of(DeviceInfo.Kind.CPU, DeviceInfo.Kind.GPU)) {
        DeviceInfo kernels = Variants.of(device, kind, Set.of(DType.F32, DType.Q8_0));
        all.add(Variants.of(kernels, null, KvCacheType.F32, false));
      }
    }
    return Variants.withEager(all);
  }

  @Override
  protected ForwardPass open(PhiConfig config, PhiWeights weights, int blocks, int maxRows) {
    return Variants.open(settings, config, weights, blocks, maxRows);
  }
}

package dev.flinfer.tornado;

import dev.flinfer.engine.DeviceInfo;
import dev.flinfer.engine.ForwardPass;
import dev.flinfer.engine.ForwardPassContract;
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
 * The contract on every device there is, with the kernels of CPUs and with those of GPUs, and where
 * there are CUDA graphs with and without them.
 */
@ParameterizedClass(name = "{0}")
@MethodSource("settings")
final class TornadoForwardPassTest extends ForwardPassContract {
  @Parameter Settings settings;

  static List<Settings> settings() {
    List<Settings> all = new ArrayList<>();
    for (DeviceInfo device : new TornadoBackend().devices()) {
      all.add(new Settings(exact(device, DeviceInfo.Kind.CPU), 0, 0, null, false));
      Settings gpu = new Settings(exact(device, DeviceInfo.Kind.GPU), 0, 0, null, false);
      all.add(gpu);
      if (gpu.captured()) {
        all.add(new Settings(gpu.info(), 0, 0, null, true));
      }
    }
    return all;
  }

  /** The kind decides what kernels a device gets, its types what fp16 weights are run in. */
  private static DeviceInfo exact(DeviceInfo device, DeviceInfo.Kind kind) {
    return new DeviceInfo(
        device.id(),
        device.name(),
        kind,
        device.memoryBytes(),
        device.maxAllocationBytes(),
        Set.of(DType.F32, DType.Q8_0),
        device.kvCacheTypes());
  }

  @Override
  protected ForwardPass open(PhiConfig config, PhiWeights weights, int blocks, int maxRows) {
    return TornadoBackend.open(
        config,
        weights,
        new Settings(settings.info(), blocks, maxRows, null, settings.enforceEager()));
  }
}

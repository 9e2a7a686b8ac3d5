package dev.flinfer.tornado;

import dev.flinfer.engine.DeviceInfo;
import dev.flinfer.engine.ForwardPass;
import dev.flinfer.engine.ForwardPassContract;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The contract on every device there is, with the kernels of CPUs and with those of GPUs. */
@ParameterizedClass(name = "{0}")
@MethodSource("devices")
final class TornadoForwardPassTest extends ForwardPassContract {
  @Parameter DeviceInfo device;

  static List<DeviceInfo> devices() {
    List<DeviceInfo> devices = new ArrayList<>();
    for (DeviceInfo device : new TornadoBackend().devices()) {
      devices.add(as(device, DeviceInfo.Kind.CPU));
      devices.add(as(device, DeviceInfo.Kind.GPU));
    }
    return devices;
  }

  /** The kind of a device decides what kernels it gets, and nothing else. */
  static DeviceInfo as(DeviceInfo device, DeviceInfo.Kind kind) {
    return new DeviceInfo(
        device.id(),
        device.name(),
        kind,
        device.memoryBytes(),
        device.maxAllocationBytes(),
        device.weightTypes(),
        device.kvCacheTypes());
  }

  @Override
  protected ForwardPass open(PhiConfig config, PhiWeights weights, int blocks, int maxRows) {
    return TornadoBackend.open(
        config, weights, new TornadoForwardPass.Settings(device, blocks, maxRows, null));
  }
}

package dev.flinfer.tornado;

import dev.flinfer.engine.DeviceInfo;
import dev.flinfer.engine.ForwardPass;
import dev.flinfer.engine.ForwardPassContract;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

/** The contract with weights in fp16, on every device that has it; none where there is no CUDA. */
@ParameterizedClass(name = "{0}", allowZeroInvocations = true)
@MethodSource("settings")
final class HalfForwardPassTest extends ForwardPassContract {
  @Parameter Settings settings;

  static Stream<Settings> settings() {
    List<DeviceInfo> devices = new TornadoBackend().devices();
    return devices.stream()
        .filter(device -> device.weightTypes().contains(DType.F16))
        .flatMap(
            device ->
                Stream.of(false, true).map(eager -> new Settings(device, 0, 0, DType.F16, eager)));
  }

  /** Inputs are rounded to fp16, and weights that were not in it. */
  @Override
  protected double tolerance() {
    return 2e-2;
  }

  @Override
  protected ForwardPass open(PhiConfig config, PhiWeights weights, int blocks, int maxRows) {
    return TornadoBackend.open(
        config,
        weights,
        new Settings(settings.info(), blocks, maxRows, DType.F16, settings.enforceEager()));
  }
}

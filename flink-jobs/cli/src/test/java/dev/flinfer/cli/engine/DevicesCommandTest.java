package dev.flinfer.cli.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flinfer.cli.RecordedConsole;
import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.device.DeviceInfo;
import dev.flinfer.engine.device.DeviceProbe;
import dev.flinfer.engine.weights.DType;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class DevicesCommandTest {
  private static final DeviceInfo GPU =
      new DeviceInfo(
          "cuda:0",
          "Some GPU",
          DeviceInfo.Kind.GPU,
          16L << 30,
          4L << 30,
          Set.of(DType.Q8_0, DType.F16, DType.F32),
          Set.of(KvCacheType.F16, KvCacheType.F32));

  private final RecordedConsole recorded = new RecordedConsole();

  @Test
  void theCpuIsAlwaysListedAndAMissingBackendIsReported() throws Exception {
    new DevicesCommand(recorded.console(false))
        .print(new DeviceProbe.Report(List.of(), null), "no backend: because");
    assertThat(recorded.out().lines())
        .containsExactly(
            "device     kind            memory    largest  weights                    keys, values  "
                + " name",
            "cpu        CPU                  -          -  f32 bf16 q8_0 q4_0         f32 f16 q8_0  "
                + " Java on all cores");
    assertThat(recorded.err()).isEqualTo("flinfer: no backend: because\n");
  }

  @Test
  void eachDeviceHasARowAndEachProblemALine() throws Exception {
    DeviceProbe.Report report =
        new DeviceProbe.Report(
            List.of(new DeviceProbe.Found("tornadovm", List.of(GPU), null)), "a driver crashed");
    new DevicesCommand(recorded.console(false)).print(report, "");
    assertThat(recorded.out().lines())
        .hasSize(3)
        .contains(
            "cuda:0     GPU         16,384 MiB  4,096 MiB  f32 f16 q8_0               f32 f16      "
                + "  Some GPU");
    assertThat(recorded.err()).isEqualTo("flinfer: a driver crashed\n");
  }

  @Test
  void asJson() throws Exception {
    assertThat(recorded.run("devices", "--json")).isZero();
    JsonNode json = new ObjectMapper().readTree(recorded.out());
    assertThat(json.at("/devices/0/id").asText()).isEqualTo("cpu");
    assertThat(json.at("/devices/0/kind").asText()).isEqualTo("cpu");
    assertThat(json.at("/devices/0/memory_bytes").isMissingNode()).isTrue();
    assertThat(json.at("/problems")).isEmpty();
  }

  @Test
  void aMissingDeviceIsAOneLineError() {
    int code =
        recorded.run(
            "generate",
            "--model",
            "../../deploy/demo-model",
            "--prompt",
            "a",
            "--device",
            "cuda:31");
    assertThat(code).isEqualTo(1);
    assertThat(recorded.err().lines()).hasSize(1);
    assertThat(recorded.err()).startsWith("flinfer: device cuda:31 was not found; available: cpu");
  }
}

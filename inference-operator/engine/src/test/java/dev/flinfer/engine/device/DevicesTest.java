package dev.flinfer.engine.device;

import static dev.flinfer.engine.EngineOption.CPU_PRODUCTS;
import static dev.flinfer.engine.EngineOption.DEVICE;
import static dev.flinfer.engine.EngineOption.KV_CACHE_DTYPE;
import static dev.flinfer.engine.EngineOption.MAX_MODEL_LEN;
import static dev.flinfer.engine.EngineOption.MAX_NUM_SEQS;
import static dev.flinfer.engine.EngineOption.THREADS;
import static dev.flinfer.engine.EngineOption.WEIGHTS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.CpuProducts;
import dev.flinfer.engine.EngineException;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.KvCacheDtype;
import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.Weights;
import dev.flinfer.engine.cpu.CpuBackend;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.Safetensors;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class DevicesTest {
  private static final DeviceInfo PROCESSOR =
      FakeBackend.device("opencl:0", DeviceInfo.Kind.CPU, 1 << 24);
  private static final DeviceInfo GPU =
      FakeBackend.device("opencl:1", DeviceInfo.Kind.GPU, 1 << 24);
  private static final DeviceInfo SMALL_GPU =
      FakeBackend.device("cuda:0", DeviceInfo.Kind.GPU, 1 << 14);

  @TempDir private Path directory;

  private Safetensors files;
  private PhiConfig config;
  private PhiWeights weights;

  @BeforeEach
  void openModel() {
    RandomCheckpoint.write(directory, RandomCheckpoint.Shape.EVEN, DType.F32, 3);
    files = Safetensors.open(directory);
    config = PhiConfig.load(directory);
    weights = PhiWeights.of(files, config);
  }

  @AfterEach
  void closeModel() {
    files.close();
  }

  private static DeviceProbe.Report report(FakeBackend backend) {
    return new DeviceProbe.Report(
        List.of(new DeviceProbe.Found("fake", backend.devices(), null)), null);
  }

  private static EngineOptions options(String device) {
    return EngineOptions.builder("model")
        .parse(DEVICE, device)
        .set(MAX_NUM_SEQS, 2)
        .set(MAX_MODEL_LEN, 128)
        .set(THREADS, 1)
        .build();
  }

  /** The device that is opened, and its options' types. */
  private String open(String device, FakeBackend backend) {
    Devices devices = new Devices(List.of(new CpuBackend(), backend), () -> report(backend));
    Devices.Opened opened = devices.open(config, weights, options(device));
    try (ForwardPass forward = opened.forward()) {
      return forward.device().replaceAll(" \\(.*", "")
          + " "
          + opened.options().text(KV_CACHE_DTYPE);
    }
  }

  @Test
  void aNamedDeviceIsUsed() {
    assertThat(open("cpu", new FakeBackend(GPU))).isEqualTo("cpu f16");
    assertThat(open("opencl:0", new FakeBackend(PROCESSOR, GPU))).isEqualTo("opencl:0 f32");
    assertThat(open("opencl:1", new FakeBackend(PROCESSOR, GPU))).isEqualTo("opencl:1 f32");
  }

  @Test
  void aMissingCpuBackendIsAnError() {
    assertThatThrownBy(() -> new Devices(List.of(new FakeBackend(GPU)), () -> null))
        .isInstanceOf(EngineException.class)
        .hasMessage(
            "no backend for the CPU is on the class path; add the flinfer-engine jar with its"
                + " META-INF/services");
  }

  @Test
  void aNameWithoutANumberPrefersAGpu() {
    assertThat(open("opencl", new FakeBackend(PROCESSOR, GPU))).isEqualTo("opencl:1 f32");
    assertThat(open("opencl", new FakeBackend(PROCESSOR))).isEqualTo("opencl:0 f32");
  }

  @Test
  void aMissingDeviceIsAnErrorThatNamesTheAvailableOnes() {
    assertThatThrownBy(() -> open("ptx", new FakeBackend(PROCESSOR, GPU)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "device ptx was not found; available: cpu, opencl:0 (Fake CPU), opencl:1 (Fake GPU)");
    assertThatThrownBy(() -> open("opencl:10", new FakeBackend(GPU)))
        .hasMessage("device opencl:10 was not found; available: cpu, opencl:1 (Fake GPU)");
  }

  @Test
  void theErrorGivesTheReasonsForMissingDevices() {
    Devices devices =
        new Devices(
            List.of(new CpuBackend(), new FakeBackend()),
            () ->
                new DeviceProbe.Report(
                    List.of(new DeviceProbe.Found("fake", List.of(), "no libOpenCL.so.1")),
                    "a driver crashed"));
    assertThatThrownBy(() -> devices.open(config, weights, options("opencl")))
        .hasMessage(
            "device opencl was not found; available: cpu; fake: no libOpenCL.so.1; a driver"
                + " crashed");
  }

  @Test
  void withoutABackendTheErrorExplainsHowToInstallOne() {
    Devices none =
        new Devices(
            List.of(new CpuBackend()),
            () -> {
              throw new AssertionError("there is nothing to probe");
            });
    assertThatThrownBy(() -> none.open(config, weights, options("cuda:1")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(
            "device cuda:1 was not found; available: cpu; no TornadoVM backend is on the class"
                + " path")
        .hasMessageEndingWith("; docs/tornadovm.md explains how to install it");
    none.open(config, weights, options("auto")).forward().close();
  }

  @Test
  void autoUsesAGpuAndNeverACpuOfOpenCl() {
    assertThat(open("auto", new FakeBackend(PROCESSOR, GPU))).isEqualTo("opencl:1 f32");
    assertThat(open("auto", new FakeBackend(PROCESSOR))).isEqualTo("cpu f16");
    assertThat(open("auto", new FakeBackend())).isEqualTo("cpu f16");
  }

  @Test
  void autoSkipsAGpuThatIsTooSmall() {
    assertThat(open("auto", new FakeBackend(SMALL_GPU, GPU))).isEqualTo("opencl:1 f32");
    assertThatThrownBy(() -> open("cuda", new FakeBackend(SMALL_GPU)))
        .hasMessageStartingWith("the model does not fit device cuda:0 (Fake GPU): weights ");
  }

  @Test
  void aDeviceThatComputesOtherLogitsIsRefused() {
    FakeBackend wrong = new FakeBackend(GPU);
    wrong.error = 0.5f;
    assertThatThrownBy(() -> open("opencl", wrong))
        .isInstanceOf(EngineException.class)
        .hasMessageMatching(
            "device opencl:1 \\(Fake GPU\\) fails the device check: a logit is \\S+, the CPU's is"
                + " \\S+; the limit of the difference is 0\\.0\\d+\\. Use another device, or cpu");
    assertThat(wrong.opened).isEqualTo(1).isEqualTo(wrong.closed);
    assertThat(open("auto", wrong)).isEqualTo("cpu f16");
  }

  @Test
  void aDeviceThatComputesNanIsRefused() {
    FakeBackend wrong = new FakeBackend(GPU);
    wrong.error = Float.NaN;
    assertThatThrownBy(() -> open("opencl", wrong))
        .isInstanceOf(EngineException.class)
        .hasMessageContaining("a logit is NaN, the CPU's is ");
  }

  @Test
  void roundingIsNotAnError() {
    FakeBackend rounding = new FakeBackend(GPU);
    rounding.error = 0.001f;
    assertThat(open("opencl", rounding)).isEqualTo("opencl:1 f32");
    assertThat(rounding.opened).as("that of the device check and the engine's").isEqualTo(2);
  }

  @Test
  void aTypeThatTheDeviceDoesNotHaveIsRefused() {
    FakeBackend backend = new FakeBackend(GPU);
    Devices devices = new Devices(List.of(new CpuBackend(), backend), () -> report(backend));
    EngineOptions options = options("opencl");
    assertThatThrownBy(
            () ->
                devices.open(
                    config, weights, options.toBuilder().set(WEIGHTS, Weights.BF16).build()))
        .hasMessage("weights is bf16; device opencl:1 has auto, f32, q8_0");
    assertThatThrownBy(
            () ->
                devices.open(
                    config,
                    weights,
                    options.toBuilder().set(KV_CACHE_DTYPE, KvCacheDtype.Q8_0).build()))
        .hasMessage("kv_cache_dtype is q8_0; device opencl:1 has auto, f32");
    EngineOptions w8a8 =
        options.toBuilder()
            .set(CPU_PRODUCTS, CpuProducts.ONEDNN)
            .set(WEIGHTS, Weights.W8A8)
            .build();
    assertThatThrownBy(() -> devices.open(config, weights, w8a8))
        .hasMessage("weights is w8a8; device opencl:1 has auto, f32, q8_0");
  }
}

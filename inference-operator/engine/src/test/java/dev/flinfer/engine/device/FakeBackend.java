package dev.flinfer.engine.device;

import static dev.flinfer.engine.EngineOption.MAX_NUM_BATCHED_TOKENS;
import static dev.flinfer.engine.EngineOption.WEIGHTS;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.cpu.CpuBackend;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import java.util.List;
import java.util.Set;

/** Devices of given sizes that compute with the CPU backend, correctly or not. */
class FakeBackend implements Backend {
  static final int KV_BLOCK_BYTES = 1 << 10;

  private final List<DeviceInfo> devices;

  /** Added to every logit. */
  float error;

  int opened;
  int closed;

  FakeBackend(DeviceInfo... devices) {
    this.devices = List.of(devices);
  }

  static DeviceInfo device(String id, DeviceInfo.Kind kind, long memoryBytes) {
    return new DeviceInfo(
        id,
        "Fake " + kind,
        kind,
        memoryBytes,
        memoryBytes / 2,
        Set.of(DType.F32, DType.Q8_0),
        Set.of(KvCacheType.F32));
  }

  @Override
  public String name() {
    return "fake";
  }

  @Override
  public List<DeviceInfo> devices() {
    return devices;
  }

  /** 100 kB of weights in f32, a quarter of that in q8_0; 100 bytes of scratch per row. */
  @Override
  public DevicePlan plan(
      DeviceInfo device, PhiConfig config, PhiWeights weights, EngineOptions options) {
    int weightBytes = options.get(WEIGHTS).type() == DType.Q8_0 ? 25_000 : 100_000;
    return new DevicePlan(
        weightBytes,
        100L * options.get(MAX_NUM_BATCHED_TOKENS),
        weightBytes / 2,
        KV_BLOCK_BYTES,
        1000,
        options.get(WEIGHTS).type());
  }

  @Override
  public ForwardPass open(
      DeviceInfo device,
      PhiConfig config,
      PhiWeights weights,
      EngineOptions options,
      int numKvBlocks) {
    opened++;
    ForwardPass right = new CpuBackend().open(device, config, weights, options, numKvBlocks);
    return new ForwardPass() {
      @Override
      public int vocabSize() {
        return right.vocabSize();
      }

      @Override
      public int numKvBlocks() {
        return right.numKvBlocks();
      }

      @Override
      public String device() {
        return device.id() + " (" + device.name() + ")";
      }

      @Override
      public void forward(StepBuffers plan, float[] logits) {
        right.forward(plan, logits);
        for (int i = 0; i < plan.numLogits() * vocabSize(); i++) {
          logits[i] += error;
        }
      }

      @Override
      public void close() {
        closed++;
        right.close();
      }
    };
  }
}

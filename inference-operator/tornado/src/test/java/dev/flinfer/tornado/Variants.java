package dev.flinfer.tornado;

import static dev.flinfer.engine.EngineOption.ENFORCE_EAGER;
import static dev.flinfer.engine.EngineOption.KV_CACHE_DTYPE;
import static dev.flinfer.engine.EngineOption.MAX_NUM_BATCHED_TOKENS;
import static dev.flinfer.engine.EngineOption.MAX_NUM_SEQS;
import static dev.flinfer.engine.EngineOption.WEIGHTS;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.Weights;
import dev.flinfer.engine.device.DeviceInfo;
import dev.flinfer.engine.device.ForwardPass;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Ways to run a forward pass, for the tests of the contract. */
final class Variants {
  private Variants() {}

  /** The kind decides what kernels a device gets, its types what fp16 weights are run in. */
  static DeviceInfo of(DeviceInfo device, DeviceInfo.Kind kind, Set<DType> weightTypes) {
    return new DeviceInfo(
        device.id(),
        device.name(),
        kind,
        device.memoryBytes(),
        device.maxAllocationBytes(),
        weightTypes,
        device.kvCacheTypes());
  }

  static Settings of(DeviceInfo device, DType weightType, KvCacheType kvCacheType, boolean cublas) {
    EngineOptions options =
        EngineOptions.builder("variant")
            .set(WEIGHTS, Weights.of(weightType))
            .parse(KV_CACHE_DTYPE, kvCacheType.toString())
            .build();
    return new Settings(device, options, 0, cublas);
  }

  /** All, and each that is captured in CUDA graphs also without them. */
  static List<Settings> withEager(List<Settings> settings) {
    List<Settings> all = new ArrayList<>(settings);
    for (Settings s : settings) {
      if (s.captured()) {
        EngineOptions eager = s.options().toBuilder().set(ENFORCE_EAGER, true).build();
        all.add(new Settings(s.info(), eager, 0, s.cublas()));
      }
    }
    return all;
  }

  static ForwardPass open(
      Settings settings, PhiConfig config, PhiWeights weights, int blocks, int maxRows) {
    EngineOptions options =
        settings.options().toBuilder()
            .set(MAX_NUM_SEQS, 1)
            .set(MAX_NUM_BATCHED_TOKENS, maxRows)
            .build();
    return TornadoBackend.open(
        config, weights, new Settings(settings.info(), options, blocks, settings.cublas()));
  }
}

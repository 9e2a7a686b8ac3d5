package dev.flinfer.tornado;

import dev.flinfer.engine.KvCacheType;
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
    return new Settings(device, 0, 0, weightType, kvCacheType, cublas, false);
  }

  /** All, and each that is captured in CUDA graphs also without them. */
  static List<Settings> withEager(List<Settings> settings) {
    List<Settings> all = new ArrayList<>(settings);
    for (Settings s : settings) {
      if (s.captured()) {
        all.add(new Settings(s.info(), 0, 0, s.weightType(), s.kvCacheType(), s.cublas(), true));
      }
    }
    return all;
  }

  static ForwardPass open(
      Settings settings, PhiConfig config, PhiWeights weights, int blocks, int maxRows) {
    return TornadoBackend.open(
        config,
        weights,
        new Settings(
            settings.info(),
            blocks,
            maxRows,
            settings.weightType(),
            settings.kvCacheType(),
            settings.cublas(),
            settings.enforceEager()));
  }
}

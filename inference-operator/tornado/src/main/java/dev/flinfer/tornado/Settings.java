package dev.flinfer.tornado;

import dev.flinfer.engine.DeviceInfo;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.weights.DType;

/**
 * How a forward pass runs.
 *
 * @param info names the device
 * @param numKvBlocks blocks of 16 positions in the KV cache
 * @param maxRows most rows of a plan
 * @param weightType F32, F16 or Q8_0, or null for the smallest one that keeps every stored value
 * @param enforceEager whether kernels are launched one by one where a CUDA graph could hold them
 */
record Settings(
    DeviceInfo info, int numKvBlocks, int maxRows, DType weightType, boolean enforceEager) {

  static Settings of(DeviceInfo info, EngineOptions options, int numKvBlocks) {
    return new Settings(
        info,
        numKvBlocks,
        options.maxNumBatchedTokens(),
        options.weightType(),
        options.enforceEager());
  }

  /** Whether the launches of a task graph are captured in a CUDA graph. */
  boolean captured() {
    return !enforceEager && (info.id().startsWith("cuda:") || info.id().startsWith("ptx:"));
  }
}

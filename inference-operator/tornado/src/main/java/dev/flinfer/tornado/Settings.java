package dev.flinfer.tornado;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.device.DeviceInfo;
import dev.flinfer.engine.weights.DType;

/**
 * How a forward pass runs.
 *
 * @param info names the device
 * @param numKvBlocks blocks of 16 positions in the KV cache
 * @param maxRows most rows of a plan
 * @param weightType F32, F16 or Q8_0, or null for the smallest one that keeps every stored value
 * @param kvCacheType F32 or F16
 * @param cublas whether products of fp16 weights are left to cuBLAS
 * @param enforceEager whether kernels are launched one by one where a CUDA graph could hold them
 */
record Settings(
    DeviceInfo info,
    int numKvBlocks,
    int maxRows,
    DType weightType,
    KvCacheType kvCacheType,
    boolean cublas,
    boolean enforceEager) {

  static Settings of(DeviceInfo info, EngineOptions options, int numKvBlocks) {
    return new Settings(
        info,
        numKvBlocks,
        options.maxNumBatchedTokens(),
        options.weightType(),
        options.kvCacheType(),
        HalfProducts.runOn(info),
        options.enforceEager());
  }

  /** Whether the device has fp16. */
  boolean hasHalf() {
    return info.weightTypes().contains(DType.F16);
  }

  /** Whether the launches of a task graph are captured in a CUDA graph. */
  boolean captured() {
    return !enforceEager && (info.id().startsWith("cuda:") || info.id().startsWith("ptx:"));
  }
}

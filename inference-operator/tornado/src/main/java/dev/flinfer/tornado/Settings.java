package dev.flinfer.tornado;

import static dev.flinfer.engine.EngineOption.ENFORCE_EAGER;
import static dev.flinfer.engine.EngineOption.KV_CACHE_DTYPE;
import static dev.flinfer.engine.EngineOption.MAX_NUM_BATCHED_TOKENS;
import static dev.flinfer.engine.EngineOption.WEIGHTS;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.device.DeviceInfo;
import dev.flinfer.engine.weights.DType;

/**
 * How a forward pass runs: the engine's options, and what is decided beside them.
 *
 * @param info names the device
 * @param options with types that the device has
 * @param numKvBlocks blocks of 16 positions in the KV cache
 * @param cublas whether products of fp16 weights are left to cuBLAS
 */
record Settings(DeviceInfo info, EngineOptions options, int numKvBlocks, boolean cublas) {

  static Settings of(DeviceInfo info, EngineOptions options, int numKvBlocks) {
    return new Settings(info, options, numKvBlocks, HalfProducts.runOn(info));
  }

  /** The maximum number of rows of a step. */
  int maxRows() {
    return options.get(MAX_NUM_BATCHED_TOKENS);
  }

  /** F32, F16 or Q8_0, or null for the smallest one that keeps every stored value. */
  DType weightType() {
    return options.get(WEIGHTS).type();
  }

  /** F32 or F16. */
  KvCacheType kvCacheType() {
    return options.get(KV_CACHE_DTYPE).type();
  }

  /** Whether the device has fp16. */
  boolean hasHalf() {
    return info.weightTypes().contains(DType.F16);
  }

  /** Whether the launches of a task graph are captured in a CUDA graph. */
  boolean captured() {
    return !options.get(ENFORCE_EAGER)
        && (info.id().startsWith("cuda:") || info.id().startsWith("ptx:"));
  }
}

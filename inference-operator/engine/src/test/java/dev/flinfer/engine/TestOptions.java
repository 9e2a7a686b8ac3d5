package dev.flinfer.engine;

import static dev.flinfer.engine.EngineOption.DEVICE;
import static dev.flinfer.engine.EngineOption.KV_CACHE_DTYPE;
import static dev.flinfer.engine.EngineOption.MAX_NUM_BATCHED_TOKENS;
import static dev.flinfer.engine.EngineOption.MAX_NUM_SEQS;
import static dev.flinfer.engine.EngineOption.THREADS;

import java.nio.file.Path;

/** Options of the engines that tests open. */
public final class TestOptions {
  private TestOptions() {}

  /** Options for the CPU, with keys and values in fp32. */
  public static EngineOptions cpu(
      Path model, int maxNumSeqs, int maxNumBatchedTokens, int threads) {
    return EngineOptions.builder(model.toString())
        .set(DEVICE, DeviceSpecifier.CPU)
        .set(MAX_NUM_SEQS, maxNumSeqs)
        .set(MAX_NUM_BATCHED_TOKENS, maxNumBatchedTokens)
        .set(THREADS, threads)
        .set(KV_CACHE_DTYPE, KvCacheDtype.F32)
        .build();
  }
}

package dev.flinfer.jobs.cli;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.KvCacheType;
import dev.flinfer.flink.FlinferOptions;
import java.nio.file.Path;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.Configuration;
import picocli.CommandLine.Option;

/** The engine's options as they are on every command that runs one. Null where not given. */
final class EngineArguments {

  @Option(
      names = "--device",
      paramLabel = "NAME",
      description = "Where to run: auto, cpu (default: auto).")
  String device;

  @Option(
      names = "--max-num-seqs",
      paramLabel = "N",
      description = "Most sequences in one forward pass (default: 32).")
  Integer maxNumSeqs;

  @Option(
      names = "--max-num-batched-tokens",
      paramLabel = "N",
      description = "Most tokens in one forward pass (default: 512).")
  Integer maxNumBatchedTokens;

  @Option(
      names = "--max-model-len",
      paramLabel = "N",
      description = "Most tokens of prompt and completion together (default: the model's).")
  Integer maxModelLen;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description = "Threads of the CPU backend (default: all cores).")
  Integer threads;

  @Option(
      names = "--weights",
      paramLabel = "TYPE",
      description = "Type to run the weights in: auto, f32, bf16, q8_0, q4_0 (default: as stored).")
  String weights;

  @Option(
      names = "--kv-cache-dtype",
      paramLabel = "TYPE",
      description = "Type to keep keys and values in: f32, f16, q8_0 (default: f16).")
  KvCacheType kvCacheType;

  /** The engine's defaults, and what was given. */
  EngineOptions forModel(Path model) {
    EngineOptions defaults = EngineOptions.of(model);
    return new EngineOptions(
        defaults.model(),
        device == null ? defaults.device() : device,
        or(maxNumSeqs, defaults.maxNumSeqs()),
        or(maxNumBatchedTokens, defaults.maxNumBatchedTokens()),
        or(maxModelLen, defaults.maxModelLen()),
        defaults.kvCacheBytes(),
        defaults.enablePrefixCaching(),
        or(threads, defaults.threads()),
        weights == null ? defaults.weights() : weights,
        kvCacheType == null ? defaults.kvCacheType() : kvCacheType);
  }

  /** Sets what was given as options of the job. */
  void addTo(Configuration config) {
    set(config, FlinferOptions.DEVICE, device);
    set(config, FlinferOptions.MAX_NUM_SEQS, maxNumSeqs);
    set(config, FlinferOptions.MAX_NUM_BATCHED_TOKENS, maxNumBatchedTokens);
    set(config, FlinferOptions.MAX_MODEL_LEN, maxModelLen);
    set(config, FlinferOptions.THREADS, threads);
    set(config, FlinferOptions.WEIGHTS, weights);
    set(config, FlinferOptions.KV_CACHE_DTYPE, kvCacheType);
  }

  private static <T> void set(Configuration config, ConfigOption<T> option, T value) {
    if (value != null) {
      config.set(option, value);
    }
  }

  private static int or(Integer given, int otherwise) {
    return given == null ? otherwise : given;
  }
}

package dev.flinfer.cli;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.flink.FlinferOptions;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.Configuration;
import picocli.CommandLine.Option;

/** The engine's options as they are on every command that runs one. Null where not given. */
public final class EngineArguments {

  @Option(
      names = "--device",
      paramLabel = "NAME",
      description =
          "Where to run: auto, cpu, opencl, ptx, cuda, the last three with or without a number, as"
              + " in opencl:1 (default: auto).")
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
      description =
          "Type to run the weights in: auto, f32, f16, bf16, q8_0, q4_0, w8a8 (default: as"
              + " stored).")
  String weights;

  @Option(
      names = "--kv-cache-dtype",
      paramLabel = "TYPE",
      description =
          "Type to keep keys and values in: auto, f32, f16, q8_0 (default: f16 where it can).")
  String kvCacheDtype;

  @Option(
      names = "--cpu-products",
      paramLabel = "NAME",
      description = "Who multiplies matrices on the processor: auto, java, onednn (default: java).")
  String cpuProducts;

  @Option(
      names = "--enforce-eager",
      description = "Launch a GPU's kernels one by one, without CUDA graphs; to compare.")
  Boolean enforceEager;

  /** The device that was named; null where none was. */
  public String device() {
    return device;
  }

  /** The engine's defaults, and what was given. */
  public EngineOptions forModel(Path model) {
    EngineOptions.Builder options = EngineOptions.builder(model.toString());
    apply(device, options::device);
    apply(maxNumSeqs, options::maxNumSeqs);
    apply(maxNumBatchedTokens, options::maxNumBatchedTokens);
    apply(maxModelLen, options::maxModelLen);
    apply(threads, options::threads);
    apply(weights, options::weights);
    apply(kvCacheDtype, options::kvCacheDtype);
    apply(cpuProducts, options::cpuProducts);
    apply(enforceEager, options::enforceEager);
    return options.build();
  }

  /** Sets what was given as options of the job. */
  public void addTo(Configuration config) {
    set(config, FlinferOptions.DEVICE, device);
    set(config, FlinferOptions.MAX_NUM_SEQS, maxNumSeqs);
    set(config, FlinferOptions.MAX_NUM_BATCHED_TOKENS, maxNumBatchedTokens);
    set(config, FlinferOptions.MAX_MODEL_LEN, maxModelLen);
    set(config, FlinferOptions.THREADS, threads);
    set(config, FlinferOptions.WEIGHTS, weights);
    set(config, FlinferOptions.KV_CACHE_DTYPE, kvCacheDtype);
    set(config, FlinferOptions.CPU_PRODUCTS, cpuProducts);
    set(config, FlinferOptions.ENFORCE_EAGER, enforceEager);
  }

  private static <T> void set(Configuration config, ConfigOption<T> option, T value) {
    if (value != null) {
      config.set(option, value);
    }
  }

  private static <T> void apply(T value, Consumer<T> setter) {
    if (value != null) {
      setter.accept(value);
    }
  }
}

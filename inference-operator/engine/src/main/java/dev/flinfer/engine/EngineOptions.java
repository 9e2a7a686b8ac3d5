package dev.flinfer.engine;

import dev.flinfer.engine.weights.DType;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.Map;

/**
 * How an engine runs. Names and meanings follow vLLM's engine arguments. Equal options in one
 * process share one engine, see {@link SharedEngines}.
 *
 * @param model a GGUF file, or the directory of a checkpoint in Hugging Face's layout; {@code
 *     random:phi-2} is that shape with random weights, to measure speed
 * @param device {@code auto} or {@code cpu}
 * @param maxNumSeqs most sequences in one forward pass
 * @param maxNumBatchedTokens most tokens in one forward pass
 * @param maxModelLen most tokens of prompt and completion together; 0 takes the model's context
 * @param kvCacheBytes memory for keys and values; 0 takes what {@code maxNumSeqs} sequences of
 *     {@code maxModelLen} need, at most 4 GiB
 * @param enablePrefixCaching whether prompts that share a prefix share its KV blocks
 * @param threads threads of the CPU backend; 0 takes all cores
 * @param weights the type the matrices run in: {@code auto} as stored, or {@code f32}, {@code
 *     bf16}, {@code q8_0}, {@code q4_0}, converted on load
 * @param kvCacheType the type keys and values are kept in
 */
public record EngineOptions(
    String model,
    String device,
    int maxNumSeqs,
    int maxNumBatchedTokens,
    int maxModelLen,
    long kvCacheBytes,
    boolean enablePrefixCaching,
    int threads,
    String weights,
    KvCacheType kvCacheType)
    implements Serializable {

  private static final Map<String, DType> WEIGHT_TYPES =
      Map.of("f32", DType.F32, "bf16", DType.BF16, "q8_0", DType.Q8_0, "q4_0", DType.Q4_0);

  /** The smallest that leaves every greedy token of the demo model as it is; see docs/engine.md. */
  public static final KvCacheType DEFAULT_KV_CACHE_TYPE = KvCacheType.F16;

  /** The defaults for a model. */
  public static EngineOptions of(Path model) {
    return new EngineOptions(
        model.toString(), "auto", 32, 512, 0, 0, true, 0, "auto", DEFAULT_KV_CACHE_TYPE);
  }

  public EngineOptions {
    require(maxNumSeqs >= 1, "max_num_seqs", maxNumSeqs, "at least 1");
    require(
        maxNumBatchedTokens >= maxNumSeqs,
        "max_num_batched_tokens",
        maxNumBatchedTokens,
        "at least max_num_seqs, which is " + maxNumSeqs);
    require(maxModelLen >= 0, "max_model_len", maxModelLen, "at least 1, or 0 for the model's");
    require(kvCacheBytes >= 0, "kv_cache_memory", kvCacheBytes, "at least 1, or 0 for the default");
    require(threads >= 0, "threads", threads, "at least 1, or 0 for all cores");
    require(
        device.equals("auto") || device.equals("cpu"),
        "device",
        device,
        "auto or cpu; no other backend is built in");
    require(
        weights.equals("auto") || WEIGHT_TYPES.containsKey(weights),
        "weights",
        weights,
        "auto, f32, bf16, q8_0 or q4_0");
  }

  /** The type the matrices run in, or null for the types they are stored in. */
  DType weightType() {
    return WEIGHT_TYPES.get(weights);
  }

  private static void require(boolean holds, String name, Object value, String limit) {
    if (!holds) {
      throw new IllegalArgumentException("%s is %s; it must be %s".formatted(name, value, limit));
    }
  }
}

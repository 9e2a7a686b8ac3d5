package dev.flinfer.engine;

import java.io.Serializable;
import java.nio.file.Path;

/**
 * How an engine runs. Names and meanings follow vLLM's engine arguments. Equal options in one
 * process share one engine, see {@link SharedEngines}.
 *
 * @param model directory of a checkpoint in Hugging Face's layout
 * @param device {@code auto} or {@code cpu}
 * @param maxNumSeqs most sequences in one forward pass
 * @param maxNumBatchedTokens most tokens in one forward pass
 * @param maxModelLen most tokens of prompt and completion together; 0 takes the model's context
 * @param kvCacheBytes memory for keys and values; 0 takes what {@code maxNumSeqs} sequences of
 *     {@code maxModelLen} need, at most 4 GiB
 * @param enablePrefixCaching whether prompts that share a prefix share its KV blocks
 * @param threads threads of the CPU backend; 0 takes all cores
 */
public record EngineOptions(
    String model,
    String device,
    int maxNumSeqs,
    int maxNumBatchedTokens,
    int maxModelLen,
    long kvCacheBytes,
    boolean enablePrefixCaching,
    int threads)
    implements Serializable {

  /** The defaults for a model. */
  public static EngineOptions of(Path model) {
    return new EngineOptions(model.toString(), "auto", 32, 512, 0, 0, true, 0);
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
  }

  private static void require(boolean holds, String name, Object value, String limit) {
    if (!holds) {
      throw new IllegalArgumentException("%s is %s; it must be %s".formatted(name, value, limit));
    }
  }
}

package dev.flinfer.engine;

import dev.flinfer.engine.weights.DType;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * How an engine runs. Names and meanings follow vLLM's engine arguments. Equal options in one
 * process share one engine, see {@link SharedEngines}. Made with {@link #builder}:
 *
 * <pre>{@code
 * EngineOptions.builder("/path/to/phi-2").device("cpu").maxNumSeqs(64).build()
 * }</pre>
 *
 * @param model a GGUF file, or the directory of a checkpoint in Hugging Face's layout; {@code
 *     random:phi-2} is that shape with random weights, to measure speed
 * @param device {@code auto}, {@code cpu}, or {@code opencl}, {@code ptx} or {@code cuda} with or
 *     without the number of a device, as in {@code opencl:1}
 * @param maxNumSeqs most sequences in one forward pass
 * @param maxNumBatchedTokens most tokens in one forward pass
 * @param maxModelLen most tokens of prompt and completion together; 0 takes the model's context
 * @param kvCacheBytes memory for keys and values; 0 takes what {@code maxNumSeqs} sequences of
 *     {@code maxModelLen} need, at most 4 GiB
 * @param enablePrefixCaching whether prompts that share a prefix share its KV blocks
 * @param threads threads of the CPU backend; 0 takes all cores
 * @param weights the type the matrices run in: {@code auto} as stored where the device can, or
 *     {@code f32}, {@code f16}, {@code bf16}, {@code q8_0}, {@code q4_0}, converted on load; or
 *     {@code w8a8}, 8-bit integers for weights and activations, which only oneDNN has
 * @param kvCacheDtype the type keys and values are kept in: {@code f32}, {@code f16}, {@code q8_0},
 *     or {@code auto}, which is f16 where the device has it, else f32
 * @param cpuProducts who multiplies matrices on the CPU: {@code java}, {@code onednn}, or {@code
 *     auto}, which is java
 * @param enforceEager whether a device launches its kernels one by one where a CUDA graph could
 *     hold them; slower, to compare and to look for faults
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
    String kvCacheDtype,
    String cpuProducts,
    boolean enforceEager)
    implements Serializable {

  private static final Map<String, DType> WEIGHT_TYPES =
      Map.of(
          "f32", DType.F32,
          "f16", DType.F16,
          "bf16", DType.BF16,
          "q8_0", DType.Q8_0,
          "q4_0", DType.Q4_0);
  private static final Map<String, KvCacheType> KV_CACHE_TYPES =
      Map.of("f32", KvCacheType.F32, "f16", KvCacheType.F16, "q8_0", KvCacheType.Q8_0);
  private static final String ONEDNN = "onednn";
  private static final String W8A8 = "w8a8";
  private static final Set<String> ONEDNN_WEIGHTS = Set.of("auto", "bf16", W8A8);
  private static final Set<String> CPU_PRODUCTS = Set.of("auto", "java", ONEDNN);
  private static final Pattern DEVICE = Pattern.compile("auto|cpu|(opencl|ptx|cuda)(:\\d{1,3})?");

  /** What is not set otherwise: the choice of the device, and of types by what it has. */
  public static final String AUTO = "auto";

  /** The defaults for a model. */
  public static EngineOptions of(Path model) {
    return builder(model.toString()).build();
  }

  /** A builder with the defaults for a model. */
  public static Builder builder(String model) {
    return new Builder(model);
  }

  /** {@link #builder} is easier to read; it checks the same. */
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
        DEVICE.matcher(device).matches(),
        "device",
        device,
        "auto, cpu, opencl, ptx or cuda, the last three with or without a number, as in opencl:1");
    require(
        weights.equals(AUTO) || weights.equals(W8A8) || WEIGHT_TYPES.containsKey(weights),
        "weights",
        weights,
        "auto, f32, f16, bf16, q8_0, q4_0 or w8a8");
    require(
        kvCacheDtype.equals(AUTO) || KV_CACHE_TYPES.containsKey(kvCacheDtype),
        "kv_cache_dtype",
        kvCacheDtype,
        "auto, f32, f16 or q8_0");
    require(
        CPU_PRODUCTS.contains(cpuProducts), "cpu_products", cpuProducts, "auto, java or onednn");
    require(
        cpuProducts.equals(ONEDNN) || !weights.equals(W8A8),
        "weights",
        weights,
        "another type where cpu_products is not onednn, which alone has it");
    require(
        !cpuProducts.equals(ONEDNN) || ONEDNN_WEIGHTS.contains(weights),
        "weights",
        weights,
        "auto, bf16 or w8a8 where cpu_products is onednn, which computes in bf16 or 8-bit integers");
  }

  /** The type the matrices run in, or null for what suits the types they are stored in. */
  public DType weightType() {
    return WEIGHT_TYPES.get(weights);
  }

  /** The type keys and values are kept in, or null for what suits the device. */
  public KvCacheType kvCacheType() {
    return KV_CACHE_TYPES.get(kvCacheDtype);
  }

  /** Whether oneDNN multiplies matrices on the CPU, and not Java. */
  public boolean oneDnn() {
    return cpuProducts.equals(ONEDNN);
  }

  /** Whether weights and activations are 8-bit integers. */
  public boolean w8a8() {
    return weights.equals(W8A8);
  }

  /** A builder that begins with these. */
  public Builder toBuilder() {
    return new Builder(this);
  }

  private static void require(boolean holds, String name, Object value, String limit) {
    if (!holds) {
      throw new IllegalArgumentException("%s is %s; it must be %s".formatted(name, value, limit));
    }
  }

  /** Sets what differs from the defaults; the components of {@link EngineOptions} say what. */
  public static final class Builder {
    private final String model;
    private String device = AUTO;
    private int maxNumSeqs = 32;
    private int maxNumBatchedTokens = 512;
    private int maxModelLen;
    private long kvCacheBytes;
    private boolean enablePrefixCaching = true;
    private int threads;
    private String weights = AUTO;
    private String kvCacheDtype = AUTO;
    private String cpuProducts = AUTO;
    private boolean enforceEager;

    private Builder(String model) {
      this.model = model;
    }

    private Builder(EngineOptions from) {
      model = from.model;
      device = from.device;
      maxNumSeqs = from.maxNumSeqs;
      maxNumBatchedTokens = from.maxNumBatchedTokens;
      maxModelLen = from.maxModelLen;
      kvCacheBytes = from.kvCacheBytes;
      enablePrefixCaching = from.enablePrefixCaching;
      threads = from.threads;
      weights = from.weights;
      kvCacheDtype = from.kvCacheDtype;
      cpuProducts = from.cpuProducts;
      enforceEager = from.enforceEager;
    }

    public Builder device(String name) {
      device = name;
      return this;
    }

    public Builder maxNumSeqs(int count) {
      maxNumSeqs = count;
      return this;
    }

    public Builder maxNumBatchedTokens(int count) {
      maxNumBatchedTokens = count;
      return this;
    }

    public Builder maxModelLen(int tokens) {
      maxModelLen = tokens;
      return this;
    }

    public Builder kvCacheBytes(long bytes) {
      kvCacheBytes = bytes;
      return this;
    }

    public Builder enablePrefixCaching(boolean enable) {
      enablePrefixCaching = enable;
      return this;
    }

    public Builder threads(int count) {
      threads = count;
      return this;
    }

    public Builder weights(String type) {
      weights = type;
      return this;
    }

    public Builder kvCacheDtype(String type) {
      kvCacheDtype = type;
      return this;
    }

    public Builder cpuProducts(String provider) {
      cpuProducts = provider;
      return this;
    }

    public Builder enforceEager(boolean enforce) {
      enforceEager = enforce;
      return this;
    }

    public Builder kvCacheType(KvCacheType type) {
      return kvCacheDtype(type.toString());
    }

    /**
     * @throws IllegalArgumentException if a value is out of its range, or contradicts another
     */
    public EngineOptions build() {
      return new EngineOptions(
          model,
          device,
          maxNumSeqs,
          maxNumBatchedTokens,
          maxModelLen,
          kvCacheBytes,
          enablePrefixCaching,
          threads,
          weights,
          kvCacheDtype,
          cpuProducts,
          enforceEager);
    }
  }
}

package dev.flinfer.flink;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.schema.WireFormat;
import java.time.Duration;
import java.util.regex.Pattern;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.ReadableConfig;

/** What can be set about inference. The names of the engine's options follow vLLM's. */
public final class FlinferOptions {

  public static final ConfigOption<String> MODEL =
      ConfigOptions.key("flinfer.model")
          .stringType()
          .noDefaultValue()
          .withDescription(
              "The model: a GGUF file, or a directory in Hugging Face's layout with config.json,"
                  + " tokenizer.json and *.safetensors. Every task manager must find it under the"
                  + " same path.");

  public static final ConfigOption<String> DEVICE =
      ConfigOptions.key("flinfer.device")
          .stringType()
          .defaultValue("auto")
          .withDescription(
              "What the model runs on: cpu, the processor; opencl, ptx or cuda, a device of TornadoVM,"
                  + " with a number, as in opencl:1, if not the first. auto takes a GPU if there"
                  + " is one that computes what the processor does, else the processor. A device"
                  + " that is named and missing is an error.");

  public static final ConfigOption<Integer> MAX_NUM_SEQS =
      ConfigOptions.key("flinfer.max-num-seqs")
          .intType()
          .defaultValue(32)
          .withDescription("The most sequences in one forward pass.");

  public static final ConfigOption<Integer> MAX_NUM_BATCHED_TOKENS =
      ConfigOptions.key("flinfer.max-num-batched-tokens")
          .intType()
          .defaultValue(512)
          .withDescription(
              "The most tokens in one forward pass, at least flinfer.max-num-seqs. Longer prompts"
                  + " are computed in chunks of it.");

  public static final ConfigOption<Integer> MAX_MODEL_LEN =
      ConfigOptions.key("flinfer.max-model-len")
          .intType()
          .defaultValue(0)
          .withDescription(
              "The most tokens of a prompt and its completion together. 0 takes the model's"
                  + " context.");

  public static final ConfigOption<MemorySize> KV_CACHE_MEMORY =
      ConfigOptions.key("flinfer.kv-cache-memory")
          .memoryType()
          .defaultValue(MemorySize.ZERO)
          .withDescription(
              "Memory for the keys and values of the sequences in the engine. 0 takes what"
                  + " flinfer.max-num-seqs sequences of flinfer.max-model-len tokens need, at most"
                  + " 4 GiB.");

  public static final ConfigOption<Boolean> ENABLE_PREFIX_CACHING =
      ConfigOptions.key("flinfer.enable-prefix-caching")
          .booleanType()
          .defaultValue(true)
          .withDescription(
              "Whether prompts that begin alike share the keys and values of that beginning.");

  public static final ConfigOption<Integer> THREADS =
      ConfigOptions.key("flinfer.threads")
          .intType()
          .defaultValue(0)
          .withDescription("Threads that compute on the processor. 0 takes all cores.");

  public static final ConfigOption<String> WEIGHTS =
      ConfigOptions.key("flinfer.weights")
          .stringType()
          .defaultValue("auto")
          .withDescription(
              "The type that the matrices of weights run in: auto as they are stored where the device"
                  + " can, or f32, f16, bf16, q8_0 or q4_0, to which they are converted when the"
                  + " model is loaded; devices differ in what they have. Smaller ones take less"
                  + " memory and are faster with few sequences; q4_0 changes answers noticeably. w8a8"
                  + " is 8-bit integers for weights and activations, with flinfer.cpu.products onednn"
                  + " only; it changes answers, the more so the more the activations differ in size.");

  public static final ConfigOption<String> CPU_PRODUCTS =
      ConfigOptions.key("flinfer.cpu.products")
          .stringType()
          .defaultValue("auto")
          .withDescription(
              "Who multiplies matrices on the processor: java, or onednn, which rounds weights and"
                  + " activations to bf16 (or, with flinfer.weights w8a8, to 8-bit integers) and is at"
                  + " least twice as fast with many sequences, on Linux and x86-64 with AVX-512 and"
                  + " bf16. auto is java, whose answers are those of fp32 arithmetic.");

  public static final ConfigOption<Boolean> ENFORCE_EAGER =
      ConfigOptions.key("flinfer.enforce-eager")
          .booleanType()
          .defaultValue(false)
          .withDescription(
              "Whether a GPU's kernels are launched one by one. Else CUDA graphs hold them on the"
                  + " backends cuda and ptx, which is faster. To compare, and to look for faults.");

  public static final ConfigOption<String> KV_CACHE_DTYPE =
      ConfigOptions.key("flinfer.kv-cache-dtype")
          .stringType()
          .defaultValue("auto")
          .withDescription(
              "The type that keys and values are kept in: f32, f16 or q8_0, 8-bit integers with a"
                  + " scale for each 32. auto takes f16 where the device has it, as the processor"
                  + " does, else f32. Smaller ones hold more tokens in the same memory; q8_0"
                  + " changes answers now and then.");

  public static final ConfigOption<Integer> MAX_IN_FLIGHT =
      ConfigOptions.key("flinfer.max-in-flight")
          .intType()
          .defaultValue(0)
          .withDescription(
              "The most requests that a subtask has in the engine; at that many it reads no"
                  + " further. 0 takes twice flinfer.max-num-seqs, so that the engine always has"
                  + " the next request at hand.");

  public static final ConfigOption<Long> MAX_IN_FLIGHT_TOKENS =
      ConfigOptions.key("flinfer.max-in-flight-tokens")
          .longType()
          .defaultValue(0L)
          .withDescription(
              "The most tokens of prompts that a subtask has in the engine; at that many it reads no"
                  + " further, however few requests they are. One request is always taken. 0 takes"
                  + " as many as two KV caches hold, so that as much waits as runs.");

  public static final ConfigOption<Integer> MAX_ATTEMPTS =
      ConfigOptions.key("flinfer.max-attempts")
          .intType()
          .defaultValue(3)
          .withDescription(
              "How often the forward pass over a request alone may fail before the request is"
                  + " rejected. A forward pass over several that fails is tried again request by"
                  + " request and counts for none of them. A device that can no longer compute one"
                  + " token fails the task.");

  public static final ConfigOption<Duration> THROUGHPUT_INTERVAL =
      ConfigOptions.key("flinfer.throughput.interval")
          .durationType()
          .defaultValue(Duration.ofSeconds(10))
          .withDescription(
              "How often each subtask reports its throughput, besides at every checkpoint.");

  public static final ConfigOption<Duration> DEDUPLICATE_TTL =
      ConfigOptions.key("flinfer.deduplicate.ttl")
          .durationType()
          .defaultValue(Duration.ZERO)
          .withDescription(
              "For how long a request is dropped whose id came before, counted from the first one,"
                  + " which is answered or rejected. 0 answers all. The ids are kept in the job's"
                  + " state, and the records are shuffled by them, which needs unaligned"
                  + " checkpoints.");

  public static final ConfigOption<WireFormat> INPUT_FORMAT =
      ConfigOptions.key("flinfer.input.format")
          .enumType(WireFormat.class)
          .defaultValue(WireFormat.JSON)
          .withDescription(
              "How the requests are written: json, one object a record, or avro, Avro's"
                  + " single-object encoding.");

  /** The engine's own names, as they stand in the messages of {@link EngineOptions}. */
  private static final Pattern ENGINE_NAME =
      Pattern.compile(
          "^(device|threads|weights)\\b|\\b(max_[a-z_]+|kv_cache_(?:memory|dtype)|cpu_products)\\b");

  private FlinferOptions() {}

  /**
   * The options of the engine.
   *
   * @throws IllegalArgumentException if one is missing, cannot be read, is out of its range or
   *     contradicts another; the message names its key, its value and the limit
   */
  public static EngineOptions engineOptions(ReadableConfig config) {
    String model = config.get(MODEL);
    if (model == null || model.isBlank()) {
      throw new IllegalArgumentException(
          "%s is not set; set it to a GGUF file, or the directory of a model in Hugging Face's layout (config.json, tokenizer.json, *.safetensors)"
              .formatted(MODEL.key()));
    }
    try {
      return EngineOptions.builder(model)
          .device(config.get(DEVICE))
          .maxNumSeqs(config.get(MAX_NUM_SEQS))
          .maxNumBatchedTokens(config.get(MAX_NUM_BATCHED_TOKENS))
          .maxModelLen(config.get(MAX_MODEL_LEN))
          .kvCacheBytes(config.get(KV_CACHE_MEMORY).getBytes())
          .enablePrefixCaching(config.get(ENABLE_PREFIX_CACHING))
          .threads(config.get(THREADS))
          .weights(config.get(WEIGHTS))
          .kvCacheDtype(config.get(KV_CACHE_DTYPE))
          .cpuProducts(config.get(CPU_PRODUCTS))
          .enforceEager(config.get(ENFORCE_EAGER))
          .build();
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(withOptionKeys(e.getMessage()), e);
    }
  }

  private static String withOptionKeys(String message) {
    return ENGINE_NAME
        .matcher(message)
        .replaceAll(name -> "flinfer." + name.group().replace("cpu_", "cpu.").replace('_', '-'));
  }
}

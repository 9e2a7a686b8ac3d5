package dev.flinfer.engine;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The options of an engine, each declared once: name, type, default, range and description. Flink's
 * options, those of the command line, the reference page and the error texts are derived from this
 * table, so a new option is one declaration here and the code that reads it with {@link
 * EngineOptions#get}. Names and meanings follow vLLM's engine arguments. {@link OptionRule} has the
 * constraints between options.
 *
 * @param <T> the values
 */
public final class EngineOption<T extends Serializable> {
  private static final List<EngineOption<?>> TABLE = new ArrayList<>();

  public static final EngineOption<String> MODEL =
      new EngineOption<>(
          "model",
          OptionType.TEXT,
          null,
          new OptionRange<>(
              text -> !text.isBlank(),
              "a GGUF file, or the directory of a model in Hugging Face's layout (config.json,"
                  + " tokenizer.json, *.safetensors)",
              ""),
          "The model: a GGUF file, or a directory in Hugging Face's layout with config.json,"
              + " tokenizer.json and *.safetensors.",
          "Every process that runs the model must find it under the same path. random:phi-2 is that"
              + " shape with random weights, to measure speed.");

  public static final EngineOption<DeviceSpecifier> DEVICE =
      new EngineOption<>(
          "device",
          OptionType.DEVICE,
          DeviceSpecifier.AUTO,
          OptionRange.any(),
          "The device that the model runs on.",
          "opencl, ptx and cuda are devices of TornadoVM; without a number a GPU goes before a CPU,"
              + " and a lower number before a higher one. auto takes a GPU if one passes the device"
              + " check and the model fits it, or else the CPU. A device that is named and missing"
              + " is an error.");

  public static final EngineOption<Integer> MAX_NUM_SEQS =
      new EngineOption<>(
          "max-num-seqs",
          OptionType.INTEGER,
          32,
          OptionRange.atLeast(1),
          "The maximum number of sequences in one forward pass.",
          "");

  public static final EngineOption<Integer> MAX_NUM_BATCHED_TOKENS =
      new EngineOption<>(
          "max-num-batched-tokens",
          OptionType.INTEGER,
          512,
          OptionRange.any(), // OptionRule has its minimum
          "The maximum number of tokens in one forward pass, at least {max-num-seqs}.",
          "A longer prompt is prefilled in chunks.");

  public static final EngineOption<Integer> MAX_MODEL_LEN =
      new EngineOption<>(
          "max-model-len",
          OptionType.INTEGER,
          0,
          OptionRange.atLeastOneOrZeroFor("the model's"),
          "The maximum number of tokens of a prompt and its completion together.",
          "0 takes the model's context length.");

  public static final EngineOption<Long> KV_CACHE_MEMORY =
      new EngineOption<>(
          "kv-cache-memory",
          OptionType.MEMORY_SIZE,
          0L,
          OptionRange.atLeastOneOrZeroFor("what all sequences need, up to 4 GiB"),
          "Memory for the KV cache.",
          "0 takes what {max-num-seqs} sequences of {max-model-len} tokens need, at most 4 GiB.");

  public static final EngineOption<Boolean> ENABLE_PREFIX_CACHING =
      new EngineOption<>(
          "enable-prefix-caching",
          OptionType.BOOLEAN,
          true,
          OptionRange.any(),
          "Whether prompts with the same beginning share the KV blocks of that beginning.",
          "");

  public static final EngineOption<Integer> THREADS =
      new EngineOption<>(
          "threads",
          OptionType.INTEGER,
          0,
          OptionRange.atLeastOneOrZeroFor("all cores"),
          "The number of threads of the CPU backend.",
          "0 takes all cores.");

  public static final EngineOption<Weights> WEIGHTS =
      new EngineOption<>(
          "weights",
          OptionType.oneOf(Weights.class),
          Weights.AUTO,
          OptionRange.any(),
          "The type that the weight matrices run in.",
          "auto keeps the type in which they are stored where the device supports it. f32, f16, bf16,"
              + " q8_0 and q4_0 convert them when the model is loaded; devices differ in the types"
              + " that they support. Smaller types take less memory and are faster with"
              + " few sequences; q4_0 changes completions noticeably. w8a8 is 8-bit integers for"
              + " weights and activations, with {cpu-products} onednn only; it changes completions,"
              + " the more so the more the activations differ in size.");

  public static final EngineOption<KvCacheDtype> KV_CACHE_DTYPE =
      new EngineOption<>(
          "kv-cache-dtype",
          OptionType.oneOf(KvCacheDtype.class),
          KvCacheDtype.AUTO,
          OptionRange.any(),
          "The type that keys and values are stored in.",
          "q8_0 is 8-bit integers with a scale for each 32. auto takes f16 where the device supports"
              + " it, as the CPU does, or else f32. Smaller types hold more tokens in the same"
              + " memory; q8_0 changes some completions.");

  public static final EngineOption<CpuProducts> CPU_PRODUCTS =
      new EngineOption<>(
          "cpu-products",
          OptionType.oneOf(CpuProducts.class),
          CpuProducts.AUTO,
          OptionRange.any(),
          "What multiplies matrices on the CPU.",
          "onednn rounds weights and activations to bf16 (or, with {weights} w8a8, to 8-bit"
              + " integers) and is at least twice as fast with many sequences, on Linux and x86-64"
              + " with AVX-512 and bf16. auto is java, whose completions are those of fp32"
              + " arithmetic.");

  public static final EngineOption<Boolean> ENFORCE_EAGER =
      new EngineOption<>(
          "enforce-eager",
          OptionType.BOOLEAN,
          false,
          OptionRange.any(),
          "Whether a GPU's kernels are launched one at a time instead of in CUDA graphs.",
          "CUDA graphs, which cuda and ptx devices have, are faster; without them two runs can be"
              + " compared, and faults found.");

  private final String name;
  private final OptionType<T> type;
  private final T defaultValue; // null for a required option
  private final OptionRange<? super T> range;
  private final String summary;
  private final String details;

  private EngineOption(
      String name,
      OptionType<T> type,
      T defaultValue,
      OptionRange<? super T> range,
      String summary,
      String details) {
    this.name = name;
    this.type = type;
    this.defaultValue = defaultValue;
    this.range = range;
    this.summary = summary;
    this.details = details;
    TABLE.add(this);
  }

  /** All options, in the order of the reference page. */
  public static List<EngineOption<?>> all() {
    return Collections.unmodifiableList(TABLE);
  }

  /** Words with hyphens, such as {@code max-num-seqs}; {@link OptionNames} derives other names. */
  public String name() {
    return name;
  }

  public OptionType<T> type() {
    return type;
  }

  public OptionRange<? super T> range() {
    return range;
  }

  /** Null for a {@linkplain #isRequired required} option. */
  public T defaultValue() {
    return defaultValue;
  }

  /** The default for display; where the default is 0 and has a special meaning, that meaning. */
  public String defaultText() {
    return range.zero().isEmpty() ? format(defaultValue) : range.zero();
  }

  /** Whether it has no default. */
  public boolean isRequired() {
    return defaultValue == null;
  }

  /** A description in one sentence. */
  public String summary(OptionNames names) {
    return names.resolve(summary);
  }

  /** The full description. */
  public String description(OptionNames names) {
    return names.resolve((summary + " " + details).strip());
  }

  /** A value as text, in the form that {@link #parse} reads. */
  public String format(T value) {
    return type.format(value);
  }

  /**
   * A value from text.
   *
   * @throws InvalidOptionException if the text is not a value, or one out of range; the message
   *     names the option, the text and the limit
   */
  public T parse(String text, OptionNames names) {
    T value;
    try {
      value = type.parse(text);
    } catch (IllegalArgumentException e) {
      throw new InvalidOptionException(refusal(text, type.words(), names), e);
    }
    check(value, names);
    return value;
  }

  /**
   * @throws InvalidOptionException if the value is out of range, or missing and required
   */
  void check(T value, OptionNames names) {
    if (value == null || isRequired() && !range.check().test(value)) {
      String limit = range.words().isEmpty() ? type.words() : range.words();
      throw new InvalidOptionException(
          "%s is not set; set it to %s".formatted(names.of(this), limit));
    }
    if (!range.check().test(value)) {
      throw new InvalidOptionException(refusal(format(value), range.words(), names));
    }
  }

  /** The message for a value that is refused. */
  String refusal(String value, String limit, OptionNames names) {
    return "%s is %s; it must be %s".formatted(names.of(this), value, limit);
  }

  @Override
  public String toString() {
    return name;
  }
}

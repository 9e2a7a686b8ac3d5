package dev.flinfer.flink;

import static dev.flinfer.engine.EngineOption.CPU_PRODUCTS;
import static dev.flinfer.engine.EngineOption.DEVICE;
import static dev.flinfer.engine.EngineOption.ENABLE_PREFIX_CACHING;
import static dev.flinfer.engine.EngineOption.ENFORCE_EAGER;
import static dev.flinfer.engine.EngineOption.KV_CACHE_DTYPE;
import static dev.flinfer.engine.EngineOption.KV_CACHE_MEMORY;
import static dev.flinfer.engine.EngineOption.MAX_MODEL_LEN;
import static dev.flinfer.engine.EngineOption.MAX_NUM_BATCHED_TOKENS;
import static dev.flinfer.engine.EngineOption.MAX_NUM_SEQS;
import static dev.flinfer.engine.EngineOption.THREADS;
import static dev.flinfer.engine.EngineOption.WEIGHTS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.CpuProducts;
import dev.flinfer.engine.DeviceSpecifier;
import dev.flinfer.engine.EngineOption;
import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.KvCacheDtype;
import dev.flinfer.engine.OptionSamples;
import dev.flinfer.engine.Weights;
import dev.flinfer.schema.WireFormat;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.description.HtmlFormatter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class FlinferOptionsTest {

  @Test
  void theDefaultsAreTheEngines() {
    Configuration config = Configuration.fromMap(Map.of("flinfer.model", "phi-2"));
    assertThat(FlinferOptions.engineOptions(config)).isEqualTo(EngineOptions.of(Path.of("phi-2")));

    OperatorOptions options = OperatorOptions.from(config);
    assertThat(options.admission()).isEqualTo(new Admission.Limits(64, 0));
    assertThat(options.maxAttempts()).isEqualTo(3);
    assertThat(options.throughputInterval()).isEqualTo(Duration.ofSeconds(10));
    assertThat(options.inputFormat()).isEqualTo(WireFormat.JSON);
    assertThat(options.deduplicateTtl()).isZero();
  }

  @Test
  void everyOptionIsTaken() {
    Configuration config =
        Configuration.fromMap(
            Map.ofEntries(
                Map.entry("flinfer.model", "phi-2"),
                Map.entry("flinfer.device", "cpu"),
                Map.entry("flinfer.max-num-seqs", "3"),
                Map.entry("flinfer.max-num-batched-tokens", "4"),
                Map.entry("flinfer.max-model-len", "5"),
                Map.entry("flinfer.kv-cache-memory", "6 mb"),
                Map.entry("flinfer.enable-prefix-caching", "false"),
                Map.entry("flinfer.threads", "7"),
                Map.entry("flinfer.weights", "q8_0"),
                Map.entry("flinfer.kv-cache-dtype", "f32"),
                Map.entry("flinfer.cpu.products", "java"),
                Map.entry("flinfer.enforce-eager", "true"),
                Map.entry("flinfer.max-in-flight", "8"),
                Map.entry("flinfer.max-in-flight-tokens", "80"),
                Map.entry("flinfer.max-attempts", "2"),
                Map.entry("flinfer.throughput.interval", "9 s"),
                Map.entry("flinfer.deduplicate.ttl", "2 h"),
                Map.entry("flinfer.input.format", "avro"),
                Map.entry("flinfer.admission-journal.dir", "/journal")));

    assertThat(OperatorOptions.from(config))
        .isEqualTo(
            new OperatorOptions(
                EngineOptions.builder("phi-2")
                    .set(DEVICE, DeviceSpecifier.CPU)
                    .set(MAX_NUM_SEQS, 3)
                    .set(MAX_NUM_BATCHED_TOKENS, 4)
                    .set(MAX_MODEL_LEN, 5)
                    .set(KV_CACHE_MEMORY, 6L << 20)
                    .set(ENABLE_PREFIX_CACHING, false)
                    .set(THREADS, 7)
                    .set(WEIGHTS, Weights.Q8_0)
                    .set(KV_CACHE_DTYPE, KvCacheDtype.F32)
                    .set(CPU_PRODUCTS, CpuProducts.JAVA)
                    .set(ENFORCE_EAGER, true)
                    .build(),
                new Admission.Limits(8, 80),
                2,
                Duration.ofSeconds(9),
                WireFormat.AVRO,
                Duration.ofHours(2),
                "/journal"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", " "})
  void aMissingModelIsAnError(String blank) {
    assertThatThrownBy(() -> FlinferOptions.engineOptions(new Configuration()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "flinfer.model is not set; set it to a GGUF file, or the directory of a model in Hugging Face's layout (config.json, tokenizer.json, *.safetensors)");
    Configuration config = Configuration.fromMap(Map.of("flinfer.model", blank));
    assertThatThrownBy(() -> FlinferOptions.engineOptions(config))
        .hasMessageStartingWith("flinfer.model is not set; set it to ");
  }

  static List<EngineOption<?>> engineOptions() {
    return EngineOption.all();
  }

  /** A new option of the engine is here without a change of this module. */
  @ParameterizedTest
  @MethodSource("engineOptions")
  void everyOptionOfTheEngineHasAKey(EngineOption<?> option) {
    ConfigOption<?> flinks = FlinferOptions.of(option);
    assertThat(flinks.key()).isEqualTo(FlinferOptions.NAMES.of(option)).startsWith("flinfer.");
    assertThat(new HtmlFormatter().format(flinks.description()))
        .isEqualTo(option.description(FlinferOptions.NAMES))
        .doesNotContain("{");

    Configuration config = Configuration.fromMap(Map.of("flinfer.model", "phi-2"));
    EngineOptions defaults = FlinferOptions.engineOptions(config);
    String other = OptionSamples.other(option);
    config.setString(flinks.key(), other);
    EngineOptions options = FlinferOptions.engineOptions(config);
    assertThat(options.text(option)).isEqualTo(other);
    assertThat(options).isNotEqualTo(defaults);

    Configuration written = new Configuration();
    FlinferOptions.set(written, options);
    assertThat(FlinferOptions.engineOptions(written)).isEqualTo(options);
  }

  @Test
  void optionsOfTheEngineHaveFlinksTypesWhereThereAreAny() {
    assertThat(FlinferOptions.of(EngineOption.THREADS).defaultValue()).isEqualTo(0);
    assertThat(FlinferOptions.of(KV_CACHE_MEMORY).defaultValue()).isEqualTo(MemorySize.ZERO);
    assertThat(FlinferOptions.of(ENABLE_PREFIX_CACHING).defaultValue()).isEqualTo(true);
    assertThat(FlinferOptions.of(WEIGHTS).defaultValue()).isEqualTo("auto");
    assertThat(FlinferOptions.of(CPU_PRODUCTS).key()).isEqualTo("flinfer.cpu.products");
  }

  @Test
  void typedEngineOptionsAreNotSetASecondTime() {
    EngineOptions engine = EngineOptions.builder("phi-2").set(MAX_NUM_SEQS, 3).build();
    Configuration config = Configuration.fromMap(Map.of("flinfer.max-attempts", "2"));
    OperatorOptions options = OperatorOptions.with(engine, config);
    assertThat(options.engine()).isEqualTo(engine);
    assertThat(options.admission()).isEqualTo(new Admission.Limits(6, 0));
    assertThat(options.maxAttempts()).isEqualTo(2);

    config.setString("flinfer.threads", "2");
    assertThatThrownBy(() -> OperatorOptions.with(engine, config))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "flinfer.threads is set, and the engine's options are also given as EngineOptions; set it"
                + " only there");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          weights                | int8 | flinfer.weights is int8; it must be auto, f32, f16, bf16, q8_0, q4_0 or w8a8
          weights                | w8a8 | flinfer.weights is w8a8; it must be another type where flinfer.cpu.products is not onednn, which alone has it
          max-num-seqs           | 0    | flinfer.max-num-seqs is 0; it must be at least 1
          max-num-batched-tokens | 31   | flinfer.max-num-batched-tokens is 31; it must be at least flinfer.max-num-seqs, which is 32
          max-model-len          | -1   | flinfer.max-model-len is -1; it must be at least 1, or 0 for the model's
          threads                | -2   | flinfer.threads is -2; it must be at least 1, or 0 for all cores
          device                 | tpu  | flinfer.device is tpu; it must be auto, cpu, opencl, ptx or cuda, the last three with or without a number, as in opencl:1
          kv-cache-dtype         | bf16 | flinfer.kv-cache-dtype is bf16; it must be auto, f32, f16 or q8_0
          cpu.products           | mkl  | flinfer.cpu.products is mkl; it must be auto, java or onednn
          max-in-flight          | -1   | flinfer.max-in-flight is -1; it must be at least 1, or 0 for twice flinfer.max-num-seqs
          max-in-flight-tokens   | -1   | flinfer.max-in-flight-tokens is -1; it must be at least 1, or 0 for what two KV caches hold
          deduplicate.ttl        | 1 ns | flinfer.deduplicate.ttl is 1 ns; it must be at least 1 ms, or 0 to answer all
          max-attempts           | 0    | flinfer.max-attempts is 0; it must be at least 1
          throughput.interval    | 0 s  | flinfer.throughput.interval is 0 ns; it must be at least 1 ms
          """)
  void anErrorNamesTheOptionsKeyItsValueAndTheLimit(String key, String value, String message) {
    Configuration config =
        Configuration.fromMap(Map.of("flinfer.model", "phi-2", "flinfer." + key, value));
    assertThatThrownBy(() -> OperatorOptions.from(config))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
  }

  @Test
  void oneDnnIsRefusedForWeightsThatItHasNot() {
    Configuration config =
        Configuration.fromMap(
            Map.of(
                "flinfer.model", "phi-2",
                "flinfer.cpu.products", "onednn",
                "flinfer.weights", "q8_0"));
    assertThatThrownBy(() -> OperatorOptions.from(config))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "flinfer.weights is q8_0; it must be auto, bf16 or w8a8 where flinfer.cpu.products is onednn, which computes in bf16 or 8-bit integers");
    config.setString("flinfer.weights", "w8a8");
    assertThat(OperatorOptions.from(config).engine().get(WEIGHTS)).isEqualTo(Weights.W8A8);
  }

  @ParameterizedTest
  @CsvSource({"max-num-seqs, many", "kv-cache-memory, -1", "input.format, xml"})
  void whatCannotBeReadNamesKeyAndValue(String key, String value) {
    Configuration config =
        Configuration.fromMap(Map.of("flinfer.model", "phi-2", "flinfer." + key, value));
    assertThatThrownBy(() -> OperatorOptions.from(config))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("'" + value + "' for key 'flinfer." + key + "'");
  }
}

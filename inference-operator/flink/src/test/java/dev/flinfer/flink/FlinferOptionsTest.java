package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.EngineOptions;
import dev.flinfer.engine.KvCacheType;
import dev.flinfer.schema.WireFormat;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
                Map.entry("flinfer.input.format", "avro")));

    assertThat(OperatorOptions.from(config))
        .isEqualTo(
            new OperatorOptions(
                EngineOptions.builder("phi-2")
                    .device("cpu")
                    .maxNumSeqs(3)
                    .maxNumBatchedTokens(4)
                    .maxModelLen(5)
                    .kvCacheBytes(6 << 20)
                    .enablePrefixCaching(false)
                    .threads(7)
                    .weights("q8_0")
                    .kvCacheType(KvCacheType.F32)
                    .cpuProducts("java")
                    .enforceEager(true)
                    .build(),
                new Admission.Limits(8, 80),
                2,
                Duration.ofSeconds(9),
                WireFormat.AVRO,
                Duration.ofHours(2)));
  }

  @Test
  void aMissingModelIsAnError() {
    assertThatThrownBy(() -> FlinferOptions.engineOptions(new Configuration()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "flinfer.model is not set; set it to a GGUF file, or the directory of a model in Hugging Face's layout (config.json, tokenizer.json, *.safetensors)");
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
    assertThat(OperatorOptions.from(config).engine().w8a8()).isTrue();
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

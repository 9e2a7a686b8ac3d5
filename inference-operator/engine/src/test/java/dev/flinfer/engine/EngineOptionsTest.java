package dev.flinfer.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.Serializable;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

final class EngineOptionsTest {
  private static final OptionNames HYPHENS =
      new OptionNames("--", '-', Map.of("cpu-products", "--cpu.products"));

  static List<EngineOption<?>> all() {
    return EngineOption.all();
  }

  @Test
  void theTableHoldsEveryConstantUnderItsName() throws Exception {
    List<Object> constants = new ArrayList<>();
    for (Field field : EngineOption.class.getFields()) {
      EngineOption<?> option = (EngineOption<?>) field.get(null);
      assertThat(option.name())
          .isEqualTo(field.getName().toLowerCase(Locale.ROOT).replace('_', '-'));
      constants.add(option);
    }
    assertThat(constants).isEqualTo(EngineOption.all());
  }

  @ParameterizedTest
  @MethodSource("all")
  void aTextIsReadAsItIsWritten(EngineOption<?> option) {
    String text = OptionSamples.other(option);
    EngineOptions options =
        EngineOptions.builder("phi-2").parse(option, text).build().toBuilder().build();
    assertThat(options.text(option)).isEqualTo(text);
    assertThat(options.toString()).contains(OptionNames.ENGINE.of(option) + "=" + text);
  }

  @ParameterizedTest
  @MethodSource("all")
  void aDescriptionNamesOnlyOptionsThatExist(EngineOption<?> option) {
    List<String> names = EngineOption.all().stream().map(HYPHENS::of).toList();
    Pattern name = Pattern.compile("--[a-z.-]*[a-z]");
    assertThat(name.matcher(option.description(HYPHENS)).results())
        .allSatisfy(found -> assertThat(names).contains(found.group()));
    assertThat(option.summary(HYPHENS)).endsWith(".").doesNotContain("{");
    assertThat(option.description(HYPHENS)).endsWith(".").startsWith(option.summary(HYPHENS));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          max-num-seqs           | 0     | max_num_seqs is 0; it must be at least 1
          max-num-seqs           | many  | max_num_seqs is many; it must be a whole number, at most 2147483647
          max-num-batched-tokens | 31    | max_num_batched_tokens is 31; it must be at least max_num_seqs, which is 32
          max-model-len          | -1    | max_model_len is -1; it must be at least 1, or 0 for the model's
          kv-cache-memory        | 4 xb  | kv_cache_memory is 4 xb; it must be a number of bytes, or of kb, mb, gb or tb, as in 4 gb
          enable-prefix-caching  | maybe | enable_prefix_caching is maybe; it must be true or false
          device                 | tpu   | device is tpu; it must be auto, cpu, opencl, ptx or cuda, the last three with or without a number, as in opencl:1
          weights                | F16   | weights is F16; it must be auto, f32, f16, bf16, q8_0, q4_0 or w8a8
          weights                | w8a8  | weights is w8a8; it must be another type where cpu_products is not onednn, which alone has it
          kv-cache-dtype         | bf16  | kv_cache_dtype is bf16; it must be auto, f32, f16 or q8_0
          cpu-products           | mkl   | cpu_products is mkl; it must be auto, java or onednn
          """)
  void anErrorNamesTheOptionItsValueAndTheLimit(String name, String text, String message) {
    EngineOption<?> option =
        all().stream().filter(o -> o.name().equals(name)).findFirst().orElseThrow();
    assertThatThrownBy(() -> EngineOptions.builder("phi-2").parse(option, text).build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
  }

  @Test
  void typedValuesAreCheckedToo() {
    EngineOptions.Builder options =
        EngineOptions.builder("phi-2").set(EngineOption.KV_CACHE_MEMORY, -1L);
    assertThatThrownBy(options::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "kv_cache_memory is -1 bytes; it must be at least 1, or 0 for what all sequences need, up"
                + " to 4 GiB");
  }

  @Test
  void anErrorNamesOptionsAsTheCallerDoes() {
    EngineOptions.Builder options =
        EngineOptions.builder(HYPHENS)
            .set(EngineOption.MODEL, "phi-2")
            .set(EngineOption.MAX_NUM_BATCHED_TOKENS, 8);
    assertThatThrownBy(options::build)
        .hasMessage(
            "--max-num-batched-tokens is 8; it must be at least --max-num-seqs, which is 32");
    options
        .set(EngineOption.MAX_NUM_SEQS, 8)
        .set(EngineOption.CPU_PRODUCTS, CpuProducts.ONEDNN)
        .set(EngineOption.WEIGHTS, Weights.Q4_0);
    assertThatThrownBy(options::build)
        .hasMessage(
            "--weights is q4_0; it must be auto, bf16 or w8a8 where --cpu.products is onednn, which"
                + " computes in bf16 or 8-bit integers");
    assertThatThrownBy(() -> EngineOptions.builder(HYPHENS).build())
        .hasMessageStartingWith(
            "--model is not set; set it to a GGUF file, or the directory of a ");
    assertThatThrownBy(() -> EngineOption.WEIGHTS.check(null, HYPHENS))
        .hasMessageStartingWith("--weights is not set; set it to auto, f32, f16, bf16");
  }

  @Test
  void optionsAreEqualByTheirValues() throws Exception {
    EngineOptions options = EngineOptions.builder("phi-2").set(EngineOption.THREADS, 3).build();
    EngineOptions named =
        EngineOptions.builder(HYPHENS)
            .set(EngineOption.MODEL, "phi-2")
            .set(EngineOption.MAX_NUM_SEQS, 32)
            .set(EngineOption.THREADS, 3)
            .build();
    assertThat(named).isEqualTo(options).hasSameHashCodeAs(options);
    assertThat(options).hasToString("EngineOptions[model=phi-2, threads=3]");
    assertThat(named.toBuilder().set(EngineOption.THREADS, 2).build()).isNotEqualTo(options);
    assertThat(named.get(EngineOption.THREADS)).isEqualTo(3);

    EngineOptions sent = sent(named);
    assertThat(sent).isEqualTo(options);
    assertThat(sent.names()).isEqualTo(HYPHENS);
  }

  private static EngineOptions sent(Serializable options) throws Exception {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(options);
    }
    try (ObjectInputStream in =
        new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      return (EngineOptions) in.readObject();
    }
  }
}

package dev.flinfer.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.GgufWriter;
import dev.flinfer.engine.RandomGguf;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.Gguf;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class PhiGgufTest {
  @TempDir Path directory;
  private final Map<String, Object> pairs = new TreeMap<>();

  @BeforeEach
  void phi2() {
    pairs.put("general.architecture", "phi2");
    pairs.put("phi2.context_length", 2048);
    pairs.put("phi2.embedding_length", 2560);
    pairs.put("phi2.feed_forward_length", 10240);
    pairs.put("phi2.block_count", 32);
    pairs.put("phi2.attention.head_count", 32);
    pairs.put("phi2.attention.layer_norm_epsilon", 1e-5f);
    pairs.put("phi2.rope.dimension_count", 32);
    pairs.put("tokenizer.ggml.eos_token_id", 50256);
  }

  @Test
  void readsAnOldFile() {
    PhiConfig config = config();
    assertThat(config)
        .isEqualTo(new PhiConfig(2560, 10240, 32, 32, 32, 8, 2048, 10000, 1e-5, Set.of(50256)));
  }

  @Test
  void readsANewFile() {
    pairs.put("phi2.embedding_length", 2560L);
    pairs.put("phi2.attention.head_count_kv", 32);
    pairs.put("phi2.rope.freq_base", 500f);
    pairs.put("phi2.rope.scaling.type", "none");
    pairs.put("phi2.rope.scale_linear", 1f);
    pairs.put("tokenizer.ggml.eot_token_id", 7);
    PhiConfig config = config();
    assertThat(config.ropeTheta()).isEqualTo(500);
    assertThat(config.eosTokenIds()).containsExactlyInAnyOrder(7, 50256);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          general.architecture         | llama  | general.architecture is llama; it must be phi2, the architecture of Phi-1, Phi-1.5 and Phi-2
          phi2.rope.scaling.type       | linear | phi2.rope.scaling.type is linear; it must be none, no other value is supported
          phi2.attention.head_count_kv | 8      | phi2.attention.head_count_kv is 8; it must be 32, no other value is supported
          phi2.attention.head_count    | 33     | phi2.embedding_length is 2560; it must be a multiple of phi2.attention.head_count, 33
          phi2.rope.dimension_count    | 31     | phi2.rope.dimension_count is 31; it must be even
          phi2.rope.dimension_count    | 82     | phi2.rope.dimension_count is 82; it must be a whole number from 2 to 80
          phi2.block_count             | 0      | phi2.block_count is 0; it must be a whole number from 1 to 1024
          phi2.context_length          | -      | phi2.context_length is missing; it must be a whole number from 1 to 1048576
          """)
  void refusesUnsupportedValues(String key, String value, String message) {
    pairs.remove(key);
    if (!value.equals("-")) {
      pairs.put(key, Character.isDigit(value.charAt(0)) ? Integer.valueOf(value) : value);
    }
    assertThatThrownBy(this::config).hasMessage(directory.resolve("m.gguf") + ": " + message);
  }

  @Test
  void refusesTensorsOfAnotherShape() {
    Path file = directory.resolve("shapes.gguf");
    RandomGguf.write(file, RandomGguf.BLOCKS_OF_32, DType.Q8_0, 1);
    try (Gguf gguf = Gguf.open(file)) {
      PhiConfig small = PhiConfig.of(gguf);
      PhiConfig more =
          new PhiConfig(
              small.hiddenSize(),
              small.intermediateSize() * 2,
              small.numHiddenLayers(),
              small.numAttentionHeads(),
              small.rotaryDim(),
              small.vocabSize(),
              small.maxPositionEmbeddings(),
              small.ropeTheta(),
              small.layerNormEps(),
              small.eosTokenIds());
      assertThatThrownBy(() -> PhiWeights.of(new PhiGguf(gguf), more))
          .hasMessage(
              file
                  + ": tensor blk.0.ffn_up.weight has shape [160, 96]; the metadata require [320, 96]");
    }
  }

  private PhiConfig config() {
    GgufWriter writer = new GgufWriter();
    pairs.forEach(
        (key, value) -> {
          if (value instanceof Integer number) {
            writer.put(key, number.intValue());
          } else if (value instanceof Long number) {
            writer.put(key, number.longValue());
          } else if (value instanceof Float number) {
            writer.put(key, number.floatValue());
          } else {
            writer.put(key, value.toString());
          }
        });
    Path file = directory.resolve("m.gguf");
    writer.tensor("token_embd.weight", 0, new long[] {8, 2560}, new byte[8 * 2560 * 4]).write(file);
    try (Gguf gguf = Gguf.open(file)) {
      return PhiConfig.of(gguf);
    }
  }
}

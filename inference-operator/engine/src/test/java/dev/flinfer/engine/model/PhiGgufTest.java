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
import org.junit.jupiter.params.provider.ValueSource;

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
    pairs.put("tokenizer.ggml.eos_token_id", 5);
  }

  @Test
  void readsAnOldFile() {
    PhiConfig config = config();
    assertThat(config)
        .isEqualTo(new PhiConfig(2560, 10240, 32, 32, 32, 8, 2048, 10000, 1e-5, Set.of(5)));
  }

  @Test
  void readsANewFile() {
    pairs.put("phi2.embedding_length", 2560L);
    pairs.put("phi2.attention.head_count_kv", 32);
    pairs.put("phi2.rope.freq_base", 500f);
    pairs.put("phi2.rope.scaling.type", "none");
    pairs.put("phi2.rope.scale_linear", 1f);
    pairs.put("phi2.rope.scaling.factor", 1f);
    pairs.put("phi2.rope.scaling.original_context_length", 2048);
    pairs.put("phi2.attention.key_length", 80);
    pairs.put("phi2.vocab_size", 51200);
    pairs.put("tokenizer.ggml.eot_token_id", 7);
    PhiConfig config = config();
    assertThat(config.ropeTheta()).isEqualTo(500);
    assertThat(config.eosTokenIds()).containsExactlyInAnyOrder(7, 5);
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
          phi2.rope.scaling.factor     | 4      | phi2.rope.scaling.factor is 4; it must be 1.0 or 0.0, no other value is supported
          phi2.attention.key_length    | 64     | phi2.attention.key_length is 64; it must be 80, no other value is supported
          phi2.expert_count            | 8      | phi2.expert_count is 8; it must be 0, no other value is supported
          phi2.attention.sliding_window | 512   | has the key phi2.attention.sliding_window, which is not computed here and would change the completions
          phi2.rope.scaling.yarn_ext_factor | 1 | has the key phi2.rope.scaling.yarn_ext_factor, which is not computed here and would change the completions
          phi2.logit_scale             | 2      | has the key phi2.logit_scale, which is not computed here and would change the completions
          general.type                 | adapter | general.type is adapter; it must be model, no other value is supported
          tokenizer.ggml.eos_token_id  | 8      | tokenizer.ggml.eos_token_id is 8; it must be a whole number from 0 to 7
          tokenizer.ggml.eot_token_id  | -1     | tokenizer.ggml.eot_token_id is 4294967295; it must be a whole number from 0 to 7
          phi2.context_length          | -      | phi2.context_length is missing; it must be a whole number from 1 to 1048576
          """)
  void refusesUnsupportedValues(String key, String value, String message) {
    pairs.remove(key);
    if (!value.equals("-")) {
      pairs.put(key, value.matches("-?[0-9]+") ? Integer.valueOf(value) : value);
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

  /** As in files for scaled rotation or layer norms of q: the computation would be another. */
  @ParameterizedTest
  @ValueSource(
      strings = {"rope_factors_long.weight", "blk.0.attn_q_norm.weight", "blk.32.attn_q.weight"})
  void refusesTensorsThatAreNotComputed(String tensor) {
    assertThatThrownBy(() -> config(tensor))
        .hasMessage(
            "%s: has the tensor %s, which is no part of a Phi model of 32 layers"
                .formatted(directory.resolve("m.gguf"), tensor));
  }

  @Test
  void skipsStoredFrequencies() {
    assertThat(config("blk.3.attn_rot_embd")).isEqualTo(config());
  }

  private PhiConfig config(String... more) {
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
    writer.tensor("token_embd.weight", 0, new long[] {8, 2560}, new byte[8 * 2560 * 4]);
    for (String tensor : more) {
      writer.tensor(tensor, 0, new long[] {8}, new byte[8 * 4]);
    }
    writer.write(file);
    try (Gguf gguf = Gguf.open(file)) {
      return PhiConfig.of(gguf);
    }
  }
}

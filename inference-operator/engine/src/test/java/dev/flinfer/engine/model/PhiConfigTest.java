package dev.flinfer.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.weights.WeightFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class PhiConfigTest {
  /** The dimensions in the published file of Phi-2. */
  private static final String PHI_2 =
      """
      {"architectures": ["PhiForCausalLM"], "model_type": "phi", "hidden_act": "gelu_new",
       "hidden_size": 2560, "intermediate_size": 10240, "num_hidden_layers": 32,
       "num_attention_heads": 32, "num_key_value_heads": 32, "partial_rotary_factor": 0.4,
       "rope_theta": 10000.0, "rope_scaling": null, "qk_layernorm": false, "vocab_size": 51200,
       "tie_word_embeddings": false, "max_position_embeddings": 2048, "layer_norm_eps": 1e-05,
       "bos_token_id": 50256, "eos_token_id": 50256}
      """;

  @TempDir Path directory;

  @Test
  void readsPhi2() throws IOException {
    PhiConfig config = load(PHI_2);

    assertThat(config.headDim()).isEqualTo(80);
    assertThat(config.rotaryDim()).isEqualTo(32);
    assertThat(config.numHiddenLayers()).isEqualTo(32);
    assertThat(config.eosTokenIds()).containsExactly(50256);
  }

  /** The dimensions in the published files of both models, which differ only in their weights. */
  @Test
  void readsPhi1AndPhi15() throws IOException {
    PhiConfig config =
        load(
            """
            {"architectures": ["PhiForCausalLM"], "attention_dropout": 0.0, "bos_token_id": null,
             "embd_pdrop": 0.0, "eos_token_id": null, "hidden_act": "gelu_new",
             "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 8192,
             "layer_norm_eps": 1e-05, "max_position_embeddings": 2048, "model_type": "phi",
             "num_attention_heads": 32, "num_hidden_layers": 24, "num_key_value_heads": null,
             "partial_rotary_factor": 0.5, "qk_layernorm": false, "resid_pdrop": 0.0,
             "rope_scaling": null, "rope_theta": 10000.0, "tie_word_embeddings": false,
             "torch_dtype": "float16", "transformers_version": "4.37.0", "use_cache": true,
             "vocab_size": 51200}
            """);

    assertThat(config).isEqualTo(RandomPhi.config("phi-1.5")).isEqualTo(RandomPhi.config("phi-1"));
    assertThat(config.headDim()).isEqualTo(64);
    assertThat(config.rotaryDim()).isEqualTo(32);
  }

  @Test
  void readsTheNewerKeysOfTheRotation() throws IOException {
    PhiConfig config =
        load(
            PHI_2
                .replace("\"partial_rotary_factor\": 0.4,", "")
                .replace(
                    "\"rope_theta\": 10000.0",
                    "\"rope_parameters\": {\"partial_rotary_factor\": 0.8, \"rope_theta\": 500}"));

    assertThat(config.rotaryDim()).isEqualTo(64);
    assertThat(config.ropeTheta()).isEqualTo(500);
  }

  @Test
  void readsSeveralEndOfTextTokens() throws IOException {
    assertThat(
            load(PHI_2.replace("\"eos_token_id\": 50256", "\"eos_token_id\": [1, 2]"))
                .eosTokenIds())
        .containsExactlyInAnyOrder(1, 2);
    assertThat(
            load(PHI_2.replace("\"eos_token_id\": 50256", "\"eos_token_id\": null")).eosTokenIds())
        .isEmpty();
  }

  @Test
  void refusesUnsupportedValues() throws IOException {
    refused("\"phi\"", "\"phi3\"", "model_type is \"phi3\"; this engine supports only phi");
    refused(
        "\"gelu_new\"", "\"silu\"", "hidden_act is \"silu\"; this engine supports only gelu_new");
    refused(
        "\"num_key_value_heads\": 32",
        "\"num_key_value_heads\": 8",
        "num_key_value_heads is 8; this engine supports only null or 32");
    refused("\"qk_layernorm\": false", "\"qk_layernorm\": true", "qk_layernorm is true");
  }

  /** As transformers 5 writes it; 4 has the type in rope_scaling. */
  @Test
  void readsARotationOfTheDefaultType() throws IOException {
    String type = "\"rope_scaling\": {\"rope_type\": \"default\"}";
    assertThat(load(PHI_2.replace("\"rope_scaling\": null", type))).isEqualTo(load(PHI_2));
    String parameters =
        "\"rope_parameters\": {\"rope_type\": \"default\", \"factor\": null, \"rope_theta\": 10000.0}";
    assertThat(load(PHI_2.replace("\"rope_scaling\": null", parameters))).isEqualTo(load(PHI_2));
  }

  @ParameterizedTest
  @ValueSource(strings = {"linear", "dynamic", "yarn", "longrope", "llama3"})
  void refusesAScaledRotationWhereverItsTypeIs(String type) throws IOException {
    for (String key : List.of("rope_parameters", "rope_scaling")) {
      for (String name : List.of("rope_type", "type")) {
        refused(
            "\"rope_scaling\": null",
            "\"%s\": {\"%s\": \"%s\", \"factor\": 4.0}".formatted(key, name, type),
            "%s.%s is \"%s\"; this engine supports only default".formatted(key, name, type));
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          "rope_parameters": {"factor": 4.0} | rope_parameters.factor is 4.0; this engine supports only null
          "rope_parameters": {"full_attention": {"rope_type": "yarn"}} | rope_parameters.full_attention is {"rope_type":"yarn"}; this engine supports only null
          "rope_scaling": {"rope_theta": 5} | rope_scaling.rope_theta is 5; this engine supports only null
          "rope_scaling": "linear" | rope_scaling is "linear"; this engine supports only null or an object
          "head_dim": 64 | head_dim is 64; this engine supports only null or 80
          "sliding_window": 512 | sliding_window is 512; this engine supports only null
          "layer_types": ["full_attention", "sliding_attention"] | layer_types holds "sliding_attention"; this engine supports only full_attention
          "alibi": true | alibi is true; this engine supports only null
          "num_local_experts": 8 | num_local_experts is 8; this engine supports only null
          "logit_scale": 0.5 | logit_scale is 0.5; this engine supports only null
          "final_logit_softcapping": 30.0 | final_logit_softcapping is 30.0; this engine supports only null
          "attention_multiplier": 0.1 | attention_multiplier is 0.1; this engine supports only null
          "embedding_multiplier": 12.0 | embedding_multiplier is 12.0; this engine supports only null
          "quantization_config": {"bits": 4} | quantization_config is {"bits":4}; this engine supports only null
          """)
  void refusesKeysThatWouldChangeTheComputation(String pair, String message) throws IOException {
    refused("\"rope_scaling\": null", pair, message);
  }

  @Test
  void acceptsKeysThatAreOffOrDoNotChangeTheComputation() throws IOException {
    String more =
        """
        "sliding_window": null, "alibi": false, "num_local_experts": 0, "head_dim": 80,
        "layer_types": ["full_attention", "full_attention"], "attention_dropout": 0.1,
        "hidden_dropout_prob": 0.1, "_attn_implementation": "sdpa", "torch_dtype": "float16",
        "temperature": 0.7, "unsloth_version": "2025.1", "model_type"
        """;
    assertThat(load(PHI_2.replace("\"model_type\"", more))).isEqualTo(load(PHI_2));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"-1", "51200", "\"50256\"", "50256.0", "99999999999", "true", "{\"a\": 1}"})
  void refusesEndTokensThatTheModelLacks(String id) throws IOException {
    String limits = "it must be a token id, from 0 to 51199, an array of them, or null for none";
    String shown = id.replace(" ", "");
    refused(
        "\"eos_token_id\": 50256",
        "\"eos_token_id\": " + id,
        "config.json: eos_token_id is " + shown + "; " + limits);
    refused(
        "\"eos_token_id\": 50256",
        "\"eos_token_id\": [50256, " + id + "]",
        "config.json: eos_token_id holds " + shown + "; " + limits);
  }

  @Test
  void refusesInvalidValues() throws IOException {
    refused(
        "\"hidden_size\": 2560",
        "\"hidden_size\": 2561",
        "hidden_size is 2561; it must be a multiple of num_attention_heads, 32");
    refused(
        "\"num_hidden_layers\": 32",
        "\"num_hidden_layers\": -1",
        "num_hidden_layers is -1; it must be a whole number from 1 to 1024");
    refused("\"vocab_size\": 51200,", "", "vocab_size is missing");
    refused(
        "\"vocab_size\": 51200",
        "\"vocab_size\": 99999999999",
        "vocab_size is 99999999999; it must");
    refused(
        "0.4",
        "0.4125",
        "partial_rotary_factor is 0.4125, 33 of 80 dimensions; it must yield an even number");
    refused("\"model_type\"", "model_type", "invalid JSON");
  }

  @Test
  void theErrorForAMissingDirectoryExplainsTheLayout() {
    assertThatThrownBy(() -> PhiConfig.load(directory.resolve("gone")))
        .hasMessageContaining(
            "gone: is not a directory; flinfer.model is a GGUF file, or a model directory");
    assertThatThrownBy(() -> PhiConfig.load(directory))
        .hasMessageContaining("config.json: is missing");
  }

  private PhiConfig load(String json) throws IOException {
    Files.writeString(directory.resolve("config.json"), json);
    return PhiConfig.load(directory);
  }

  private void refused(String part, String instead, String message) throws IOException {
    assertThatThrownBy(() -> load(PHI_2.replace(part, instead)))
        .isInstanceOf(WeightFileException.class)
        .hasMessageContaining(message);
  }
}

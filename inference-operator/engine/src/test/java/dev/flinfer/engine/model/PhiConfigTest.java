package dev.flinfer.engine.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.weights.WeightFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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

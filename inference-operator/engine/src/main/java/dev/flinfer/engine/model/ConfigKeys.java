package dev.flinfer.engine.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flinfer.engine.weights.UntrustedJson;
import dev.flinfer.engine.weights.WeightFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Refuses keys of a {@code config.json} that would change the computation and are not computed. A
 * fine-tuned model's file may have any additional key, so an unknown one is refused only if its
 * name speaks of a part of the model and its value is not off.
 */
final class ConfigKeys {
  /** Keys that are read and checked, and keys of Hugging Face that do not change the logits. */
  private static final Set<String> KNOWN =
      Set.of(
          "_attn_implementation",
          "_attn_implementation_autoset",
          "_attn_implementation_internal",
          "add_cross_attention",
          "attention_dropout",
          "attn_implementation",
          "head_dim",
          "hidden_act",
          "layer_norm_eps",
          "layer_types",
          "max_position_embeddings",
          "num_attention_heads",
          "num_hidden_layers",
          "num_key_value_heads",
          "output_attentions",
          "partial_rotary_factor",
          "qk_layernorm",
          "rope_parameters",
          "rope_scaling",
          "rope_theta",
          "tie_word_embeddings");

  /** Parts of names of keys that describe how a model computes. */
  private static final List<String> COMPUTING =
      List.of(
          "rope",
          "rotary",
          "position",
          "attention",
          "attn",
          "window",
          "alibi",
          "expert",
          "moe",
          "router",
          "logit",
          "softcap",
          "scal", // scale, scaling
          "multiplier",
          "norm",
          "layer",
          "bias",
          "activation",
          "head",
          "parallel",
          "residual",
          "mlp",
          "ffn",
          "embed",
          "quant",
          "conv",
          "ssm");

  private static final List<String> KIND_OF_ROTATION = List.of("rope_type", "type");

  private final Path file;

  ConfigKeys(Path file) {
    this.file = file;
  }

  void check(JsonNode config) {
    checkRotation(config, "rope_parameters", List.of("rope_theta", "partial_rotary_factor"));
    checkRotation(config, "rope_scaling", List.of());
    for (JsonNode type : config.path("layer_types")) {
      if (!type.asText().equals("full_attention")) {
        throw refused("layer_types holds", type, "full_attention");
      }
    }
    for (Map.Entry<String, JsonNode> entry : config.properties()) {
      String key = entry.getKey();
      if (!KNOWN.contains(key) && isComputing(key) && !UntrustedJson.isOff(entry.getValue())) {
        throw refused(key + " is", entry.getValue(), "null");
      }
    }
  }

  private static boolean isComputing(String key) {
    String name = key.toLowerCase(Locale.ROOT);
    return !name.contains("dropout") && COMPUTING.stream().anyMatch(name::contains);
  }

  private void checkRotation(JsonNode config, String key, List<String> computed) {
    JsonNode rotation = config.path(key);
    if (UntrustedJson.isOff(rotation)) {
      return;
    }
    if (!rotation.isObject()) {
      throw refused(key + " is", rotation, "null or an object");
    }
    for (String name : KIND_OF_ROTATION) {
      JsonNode type = rotation.path(name);
      if (!UntrustedJson.isOff(type) && !type.asText().equals("default")) {
        throw refused(key + "." + name + " is", type, "default");
      }
    }
    for (Map.Entry<String, JsonNode> entry : rotation.properties()) {
      String name = entry.getKey();
      boolean known = KIND_OF_ROTATION.contains(name) || computed.contains(name);
      if (!known && !UntrustedJson.isOff(entry.getValue())) {
        throw refused(key + "." + name + " is", entry.getValue(), "null");
      }
    }
  }

  private WeightFileException refused(String what, JsonNode value, String supported) {
    return new WeightFileException(
        file,
        "%s %s; this engine supports only %s"
            .formatted(what, UntrustedJson.show(value), supported));
  }
}

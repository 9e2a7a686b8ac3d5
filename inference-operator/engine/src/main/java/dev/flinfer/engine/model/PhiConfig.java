package dev.flinfer.engine.model;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flinfer.engine.weights.Gguf;
import dev.flinfer.engine.weights.UntrustedJson;
import dev.flinfer.engine.weights.WeightFileException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The dimensions of a Phi model ({@code model_type} "phi": Phi-1, Phi-1.5, Phi-2), named as in
 * Hugging Face's {@code config.json}.
 *
 * @param hiddenSize length of a token's vector
 * @param intermediateSize width of the MLP
 * @param numHiddenLayers layers
 * @param numAttentionHeads attention heads, of {@code hiddenSize / numAttentionHeads} dimensions
 *     each
 * @param rotaryDim number of leading dimensions of a head that are rotated, even
 * @param vocabSize rows of embedding and output
 * @param maxPositionEmbeddings longest context
 * @param ropeTheta base of the rotary frequencies
 * @param layerNormEps added to the variance
 * @param eosTokenIds tokens that end a text; may be empty
 */
public record PhiConfig(
    int hiddenSize,
    int intermediateSize,
    int numHiddenLayers,
    int numAttentionHeads,
    int rotaryDim,
    int vocabSize,
    int maxPositionEmbeddings,
    double ropeTheta,
    double layerNormEps,
    Set<Integer> eosTokenIds) {

  /** The number of dimensions of a head. */
  public int headDim() {
    return hiddenSize / numAttentionHeads;
  }

  /** Reads the metadata of a GGUF file. */
  public static PhiConfig of(Gguf gguf) {
    return PhiGguf.config(gguf);
  }

  /** Reads {@code config.json} in a model directory. */
  public static PhiConfig load(Path directory) {
    if (!Files.isDirectory(directory)) {
      throw new WeightFileException(
          directory,
          "is not a directory; flinfer.model is a GGUF file, or a model directory in Hugging Face's"
              + " layout, with config.json, tokenizer.json and model.safetensors");
    }
    Reader reader = new Reader(directory.resolve("config.json"));
    reader.mustBe("model_type", "phi");
    reader.mustBe("hidden_act", "gelu_new");
    reader.mustBe("qk_layernorm", "false");
    reader.mustBe("tie_word_embeddings", "false");
    new ConfigKeys(reader.file).check(reader.json);
    int hidden = reader.count("hidden_size", 1 << 20);
    int heads = reader.count("num_attention_heads", 1 << 12);
    reader.mustBe("num_key_value_heads", "null", Integer.toString(heads));
    reader.require(
        hidden % heads == 0,
        "hidden_size is %d; it must be a multiple of num_attention_heads, %d"
            .formatted(hidden, heads));
    // Newer Hugging Face files have both parameters of the rotation in rope_parameters.
    JsonNode rope = reader.json.path("rope_parameters");
    double factor = reader.number(rope, "partial_rotary_factor", 0.5);
    int headDim = hidden / heads;
    reader.mustBe("head_dim", "null", Integer.toString(headDim));
    int rotaryDim = (int) (factor * headDim);
    reader.require(
        factor > 0 && factor <= 1 && rotaryDim >= 2 && rotaryDim % 2 == 0,
        "partial_rotary_factor is %s, %d of %d dimensions; it must yield an even number of them"
            .formatted(factor, rotaryDim, headDim));
    int vocabSize = reader.count("vocab_size", 1 << 22);
    return new PhiConfig(
        hidden,
        reader.count("intermediate_size", 1 << 22),
        reader.count("num_hidden_layers", 1 << 10),
        heads,
        rotaryDim,
        vocabSize,
        reader.count("max_position_embeddings", 1 << 20),
        reader.number(rope, "rope_theta", 10000),
        reader.number(null, "layer_norm_eps", 1e-5),
        reader.eosTokenIds(vocabSize));
  }

  private static final class Reader {
    final Path file;
    final JsonNode json;

    Reader(Path file) {
      this.file = file;
      if (!Files.exists(file)) {
        throw new WeightFileException(
            file, "is missing; a model directory holds the config.json of its model");
      }
      json = UntrustedJson.read(file);
    }

    void require(boolean holds, String message) {
      if (!holds) {
        throw new WeightFileException(file, message);
      }
    }

    /** Checks that a field is absent or holds one of the values that this engine supports. */
    void mustBe(String field, String... allowed) {
      JsonNode node = json.get(field);
      require(
          node == null || List.of(allowed).contains(node.asText()),
          "%s is %s; this engine supports only %s"
              .formatted(field, show(node), String.join(" or ", allowed)));
    }

    int count(String field, int limit) {
      JsonNode node = json.path(field);
      require(
          node.isInt() && node.asInt() >= 1 && node.asInt() <= limit,
          "%s is %s; it must be a whole number from 1 to %d".formatted(field, show(node), limit));
      return node.asInt();
    }

    double number(JsonNode first, String field, double otherwise) {
      JsonNode node = first != null && first.has(field) ? first.get(field) : json.get(field);
      if (node == null) {
        return otherwise;
      }
      require(
          node.isNumber() && node.asDouble() > 0 && Double.isFinite(node.asDouble()),
          "%s is %s; it must be a number above 0".formatted(field, show(node)));
      return node.asDouble();
    }

    static String show(JsonNode node) {
      return node == null || node.isMissingNode() ? "missing" : UntrustedJson.show(node);
    }

    Set<Integer> eosTokenIds(int vocabSize) {
      JsonNode node = json.path("eos_token_id");
      Set<Integer> ids = new TreeSet<>();
      if (!node.isNull() && !node.isMissingNode()) {
        for (JsonNode id : node.isArray() ? node : List.of(node)) {
          require(
              id.isInt() && id.asInt() >= 0 && id.asInt() < vocabSize,
              "eos_token_id %s %s; it must be a token id, from 0 to %d, an array of them, or null for none"
                  .formatted(node.isArray() ? "holds" : "is", show(id), vocabSize - 1));
          ids.add(id.asInt());
        }
      }
      return Set.copyOf(ids);
    }
  }
}

package dev.flinfer.engine.model;

import dev.flinfer.engine.weights.Gguf;
import dev.flinfer.engine.weights.GgufMetadata;
import dev.flinfer.engine.weights.UntrustedJson;
import dev.flinfer.engine.weights.WeightFileException;
import java.util.HashSet;
import java.util.Set;
import java.util.TreeSet;

/**
 * Refuses keys and tensors of a GGUF file that would change the computation and are not computed.
 * Unlike a {@code config.json}, the file has a prefix for what describes the computation, and
 * llama.cpp too refuses tensors that it does not know, so everything unknown is refused.
 */
final class GgufContents {
  static final String PREFIX = "phi2.";

  /** Keys that {@link PhiGguf} reads, and keys that have no effect. */
  private static final Set<String> KEYS =
      Set.of(
          "context_length",
          "embedding_length",
          "feed_forward_length",
          "block_count",
          "vocab_size",
          "attention.head_count",
          "attention.layer_norm_epsilon",
          "rope.dimension_count",
          "rope.freq_base",
          // Without scaling, which is checked, these have no effect.
          "rope.scaling.original_context_length",
          "rope.scaling.finetuned");

  /** The inverse frequencies of the rotation, which other engines compute as well. */
  private static final String FREQUENCIES = ".attn_rot_embd";

  private final Gguf gguf;
  private final GgufMetadata metadata;
  private final Set<String> keys = new HashSet<>(KEYS);

  GgufContents(Gguf gguf) {
    this.gguf = gguf;
    this.metadata = gguf.metadata();
  }

  /** Checks the keys whose one supported value depends on nothing else, and the unknown ones. */
  void checkKeys(int heads, int headDim) {
    mayBe("rope.scaling.type", "none");
    mayBe("rope.scaling.factor", "1.0", "0.0");
    mayBe("rope.scale_linear", "1.0"); // its form in older files
    mayBe("attention.head_count_kv", Integer.toString(heads));
    mayBe("attention.key_length", Integer.toString(headDim));
    mayBe("attention.value_length", Integer.toString(headDim));
    mayBe("attention.causal", "true");
    mayBe("use_parallel_residual", "true");
    mayBe("expert_count", "0");
    mayBe("expert_used_count", "0");
    metadata.mayBe("general.type", "model");
    for (String key : new TreeSet<>(metadata.keys())) {
      if (key.startsWith(PREFIX) && !keys.contains(key.substring(PREFIX.length()))) {
        throw new WeightFileException(
            metadata.file(),
            "has the key %s, which is not computed here and would change the completions"
                .formatted(UntrustedJson.show(key)));
      }
    }
  }

  private void mayBe(String key, String... values) {
    metadata.mayBe(PREFIX + key, values);
    keys.add(key);
  }

  /**
   * Checks that there is no tensor but these.
   *
   * @param outside the tensors' names without their last part, weight or bias
   * @param inLayer those of each layer
   */
  void checkTensors(int layers, Set<String> outside, Set<String> inLayer) {
    Set<String> known = new HashSet<>(outside);
    for (int layer = 0; layer < layers; layer++) {
      for (String name : inLayer) {
        known.add("blk." + layer + "." + name);
      }
    }
    for (String name : gguf.names()) {
      String stem = name.replaceFirst("\\.(weight|bias)$", "");
      if (!known.contains(stem) && !stem.endsWith(FREQUENCIES)) {
        throw new WeightFileException(
            metadata.file(),
            "has the tensor %s, which is no part of a Phi model of %d layers"
                .formatted(UntrustedJson.show(name), layers));
      }
    }
  }
}

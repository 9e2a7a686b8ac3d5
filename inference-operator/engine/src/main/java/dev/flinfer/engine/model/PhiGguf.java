package dev.flinfer.engine.model;

import dev.flinfer.engine.weights.Checkpoint;
import dev.flinfer.engine.weights.Gguf;
import dev.flinfer.engine.weights.GgufMetadata;
import dev.flinfer.engine.weights.Tensor;
import dev.flinfer.engine.weights.WeightFileException;
import java.security.MessageDigest;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A GGUF file of architecture {@code phi2}: its configuration, and its tensors by Hugging Face's
 * names.
 */
public final class PhiGguf implements Checkpoint {
  private static final String LAYER = "model.layers.";

  /** GGUF's names of a layer's tensors. */
  private static final Map<String, String> IN_LAYER =
      Map.of(
          "input_layernorm", "attn_norm",
          "self_attn.q_proj", "attn_q",
          "self_attn.k_proj", "attn_k",
          "self_attn.v_proj", "attn_v",
          "self_attn.dense", "attn_output",
          "mlp.fc1", "ffn_up",
          "mlp.fc2", "ffn_down");

  private static final Map<String, String> OUTSIDE =
      Map.of(
          "model.embed_tokens", "token_embd",
          "model.final_layernorm", "output_norm",
          "lm_head", "output");

  /** Stacked by rows in {@code attn_qkv}. */
  private static final List<String> FUSED = List.of("attn_q", "attn_k", "attn_v");

  private static final String ALL_FUSED = "attn_qkv";

  private static final Set<String> LAYER_TENSORS =
      Stream.concat(IN_LAYER.values().stream(), Stream.of(ALL_FUSED))
          .collect(Collectors.toUnmodifiableSet());

  private final Gguf gguf;

  /** Takes ownership of the file: closing this object closes it. */
  public PhiGguf(Gguf gguf) {
    this.gguf = gguf;
  }

  @Override
  public Tensor get(String name, long... shape) {
    int dot = name.lastIndexOf('.');
    String stem = name.substring(0, dot);
    String kind = name.substring(dot); // .weight or .bias
    if (!stem.startsWith(LAYER)) {
      return gguf.get(OUTSIDE.get(stem) + kind, shape);
    }
    int end = stem.indexOf('.', LAYER.length());
    String block = "blk." + stem.substring(LAYER.length(), end) + ".";
    String part = IN_LAYER.get(stem.substring(end + 1));
    int third = FUSED.indexOf(part);
    if (third < 0 || !gguf.has(block + ALL_FUSED + kind)) {
      return gguf.get(block + part + kind, shape);
    }
    long[] fused = shape.clone();
    fused[0] *= FUSED.size();
    return gguf.get(block + ALL_FUSED + kind, fused).rows(third * shape[0], shape[0]);
  }

  @Override
  public void fingerprint(MessageDigest digest) {
    gguf.fingerprint(digest);
  }

  @Override
  public void close() {
    gguf.close();
  }

  /** The configuration in the metadata. */
  static PhiConfig config(Gguf gguf) {
    GgufMetadata metadata = gguf.metadata();
    String architecture = metadata.text("general.architecture");
    require(
        metadata,
        "phi2".equals(architecture),
        "general.architecture is %s; it must be phi2, the architecture of Phi-1, Phi-1.5 and Phi-2"
            .formatted(architecture));
    int hidden = metadata.integer("phi2.embedding_length", 1, 1 << 20);
    int heads = metadata.integer("phi2.attention.head_count", 1, 1 << 12);
    require(
        metadata,
        hidden % heads == 0,
        "phi2.embedding_length is %d; it must be a multiple of phi2.attention.head_count, %d"
            .formatted(hidden, heads));
    GgufContents contents = new GgufContents(gguf);
    contents.checkKeys(heads, hidden / heads);
    int layers = metadata.integer("phi2.block_count", 1, 1 << 10);
    contents.checkTensors(layers, Set.copyOf(OUTSIDE.values()), LAYER_TENSORS);
    int vocabSize = vocabSize(gguf);
    return new PhiConfig(
        hidden,
        metadata.integer("phi2.feed_forward_length", 1, 1 << 22),
        layers,
        heads,
        rotaryDim(metadata, hidden / heads),
        vocabSize,
        metadata.integer("phi2.context_length", 1, 1 << 20),
        metadata.number("phi2.rope.freq_base", 10000),
        metadata.number("phi2.attention.layer_norm_epsilon", 1e-5),
        eosTokenIds(metadata, vocabSize));
  }

  private static int rotaryDim(GgufMetadata metadata, int headDim) {
    int rotary = metadata.integer("phi2.rope.dimension_count", 2, headDim);
    require(
        metadata,
        rotary % 2 == 0,
        "phi2.rope.dimension_count is %d; it must be even".formatted(rotary));
    return rotary;
  }

  /** The number of rows of the embedding: {@code phi2.vocab_size} is missing in older files. */
  private static int vocabSize(Gguf gguf) {
    long rows = gguf.get("token_embd.weight").shape().get(0);
    require(
        gguf.metadata(),
        rows <= 1 << 22,
        "tensor token_embd.weight has %d rows; the limit is %d".formatted(rows, 1 << 22));
    return (int) rows;
  }

  private static Set<Integer> eosTokenIds(GgufMetadata metadata, int vocabSize) {
    Set<Integer> ids = new TreeSet<>();
    // The second ends a turn in models that are fine-tuned for dialogue.
    for (String key : List.of("tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id")) {
      if (metadata.has(key)) {
        ids.add(metadata.integer(key, 0, vocabSize - 1));
      }
    }
    return Set.copyOf(ids);
  }

  private static void require(GgufMetadata metadata, boolean holds, String message) {
    if (!holds) {
      throw new WeightFileException(metadata.file(), message);
    }
  }
}

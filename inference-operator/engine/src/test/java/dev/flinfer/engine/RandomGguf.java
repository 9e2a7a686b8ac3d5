package dev.flinfer.engine;

import dev.flinfer.engine.weights.DType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.function.Function;

/** Writes random models as GGUF files of any weight type. */
public final class RandomGguf {
  /** Rows of whole blocks of 32, heads that do not fill a panel; half rotated, as in Phi-1.5. */
  public static final RandomCheckpoint.Shape BLOCKS_OF_32 =
      new RandomCheckpoint.Shape(96, 3, 2, 160, 271, 64, 0.5);

  /** Rows of whole blocks of 256. */
  public static final RandomCheckpoint.Shape BLOCKS_OF_256 =
      new RandomCheckpoint.Shape(256, 4, 2, 512, 300, 64, 0.4375);

  private static final Map<String, String> NAMES =
      Map.of(
          "input_layernorm", "attn_norm",
          "q_proj", "attn_q",
          "k_proj", "attn_k",
          "v_proj", "attn_v",
          "dense", "attn_output",
          "fc1", "ffn_up",
          "fc2", "ffn_down",
          "embed_tokens", "token_embd",
          "final_layernorm", "output_norm",
          "lm_head", "output");

  private static final List<String> MERGES = List.of("t h", "th e", "\u0120 the");

  private final RandomCheckpoint.Shape shape;
  private final Function<String, DType> types;
  private final boolean fused;
  private final BiConsumer<String, float[]> edit;
  private final Map<String, float[]> tensors = new LinkedHashMap<>();
  private final GgufWriter writer = new GgufWriter();

  private RandomGguf(
      RandomCheckpoint.Shape shape,
      Function<String, DType> types,
      boolean fused,
      BiConsumer<String, float[]> edit) {
    this.edit = edit;
    this.shape = shape;
    this.types = types;
    this.fused = fused;
  }

  /** The smallest of these shapes whose rows are whole blocks of the type. */
  public static RandomCheckpoint.Shape shapeFor(DType dtype) {
    return dtype.blockSize() > 32 ? BLOCKS_OF_256 : BLOCKS_OF_32;
  }

  /** Writes all matrices in one type, with q, k and v fused. */
  public static RandomCheckpoint write(
      Path file, RandomCheckpoint.Shape shape, DType dtype, long seed) {
    return write(file, shape, name -> dtype, true, seed);
  }

  /**
   * Writes a file and returns the values that were written.
   *
   * @param types the type of each matrix by its name in the file
   * @param fused whether q, k and v are one tensor
   */
  public static RandomCheckpoint write(
      Path file,
      RandomCheckpoint.Shape shape,
      Function<String, DType> types,
      boolean fused,
      long seed) {
    return write(file, shape, types, fused, seed, (name, values) -> {});
  }

  /**
   * Writes a file after changing values.
   *
   * @param edit changes values, by Hugging Face's name, before they are written
   */
  public static RandomCheckpoint write(
      Path file,
      RandomCheckpoint.Shape shape,
      Function<String, DType> types,
      boolean fused,
      long seed,
      BiConsumer<String, float[]> edit) {
    RandomGguf gguf = new RandomGguf(shape, types, fused, edit);
    gguf.metadata();
    gguf.tensors(new Random(seed));
    gguf.writer.write(file);
    return new RandomCheckpoint(shape, gguf.tensors);
  }

  private void metadata() {
    int head = shape.hidden() / shape.heads();
    writer
        .put("general.architecture", "phi2")
        .put("general.name", "random")
        .put("phi2.context_length", shape.context())
        .put("phi2.embedding_length", shape.hidden())
        .put("phi2.feed_forward_length", shape.intermediate())
        .put("phi2.block_count", shape.layers())
        .put("phi2.attention.head_count", shape.heads())
        .put("phi2.attention.head_count_kv", shape.heads())
        .put("phi2.attention.layer_norm_epsilon", 1e-5f)
        .put("phi2.rope.dimension_count", (int) (shape.rotaryFactor() * head));
    putTokenizer(writer, shape.vocab());
  }

  /** One token per byte, the end-of-text token, the merged tokens, and padding. */
  static void putTokenizer(GgufWriter writer, int vocab) {
    List<String> tokens = new ArrayList<>();
    int[] types = new int[vocab];
    Arrays.fill(types, 5);
    int next = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b != 0xAD);
      tokens.add(Character.toString(printable ? b : next++));
      types[b] = 1;
    }
    tokens.add("<|endoftext|>");
    types[RandomCheckpoint.END_OF_TEXT] = 3;
    for (String merge : MERGES) {
      types[tokens.size()] = 1;
      tokens.add(merge.replace(" ", ""));
    }
    while (tokens.size() < vocab) {
      tokens.add("[PAD" + tokens.size() + "]");
    }
    writer
        .put("tokenizer.ggml.model", "gpt2")
        .put("tokenizer.ggml.pre", "phi-2")
        .put("tokenizer.ggml.tokens", tokens)
        .put("tokenizer.ggml.token_type", types)
        .put("tokenizer.ggml.merges", MERGES)
        .put("tokenizer.ggml.bos_token_id", RandomCheckpoint.END_OF_TEXT)
        .put("tokenizer.ggml.eos_token_id", RandomCheckpoint.END_OF_TEXT)
        .put("tokenizer.ggml.unknown_token_id", RandomCheckpoint.END_OF_TEXT)
        .put("tokenizer.ggml.add_bos_token", false);
  }

  private void tensors(Random random) {
    Map<String, ReferenceQuants> waiting = new LinkedHashMap<>();
    RandomCheckpoint.shapes(shape)
        .forEach(
            (name, dims) -> {
              String ours = ggufName(name);
              DType dtype = dims.length == 1 ? DType.F32 : types.apply(ours);
              float[] values = RandomCheckpoint.values(name, dims, DType.F32, random);
              edit.accept(name, values);
              ReferenceQuants quants = new ReferenceQuants(dtype, values);
              tensors.put(name, quants.values());
              if (fused && ours.matches(".*attn_[qkv]\\..*")) {
                waiting.put(ours, quants);
              } else {
                writer.tensor(ours, ReferenceQuants.number(dtype), dims, quants.bytes());
              }
            });
    for (String name : waiting.keySet()) {
      if (name.contains("attn_q.")) {
        writeFused(name, waiting);
      }
    }
  }

  private void writeFused(String q, Map<String, ReferenceQuants> parts) {
    byte[] first = parts.get(q).bytes();
    byte[] all = Arrays.copyOf(first, 3 * first.length);
    System.arraycopy(
        parts.get(q.replace("attn_q", "attn_k")).bytes(), 0, all, first.length, first.length);
    System.arraycopy(
        parts.get(q.replace("attn_q", "attn_v")).bytes(), 0, all, 2 * first.length, first.length);
    boolean bias = q.endsWith(".bias");
    long[] dims =
        bias ? new long[] {3L * shape.hidden()} : new long[] {3L * shape.hidden(), shape.hidden()};
    DType dtype = bias ? DType.F32 : types.apply(q);
    writer.tensor(q.replace("attn_q", "attn_qkv"), ReferenceQuants.number(dtype), dims, all);
  }

  private static String ggufName(String name) {
    List<String> parts = List.of(name.split("\\."));
    String last = parts.get(parts.size() - 1);
    String ours = NAMES.get(parts.get(parts.size() - 2)) + "." + last;
    return parts.contains("layers") ? "blk." + parts.get(2) + "." + ours : ours;
  }
}

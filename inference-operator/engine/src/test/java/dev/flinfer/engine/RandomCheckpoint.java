package dev.flinfer.engine;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.flinfer.engine.weights.DType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * A Phi model with random weights, written in the real file format, and the written values, so that
 * an oracle does not depend on the reader.
 *
 * @param shape its dimensions
 * @param tensors the written values by name, after rounding to the file's type, row-major
 */
public record RandomCheckpoint(Shape shape, Map<String, float[]> tensors) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** The last id of the smallest vocabulary: 256 bytes, then this. */
  public static final int END_OF_TEXT = 256;

  /**
   * Dimensions of a model.
   *
   * @param rotaryFactor share of a head's dimensions that is rotated
   */
  public record Shape(
      int hidden,
      int heads,
      int layers,
      int intermediate,
      int vocab,
      int context,
      double rotaryFactor) {
    /** Small, odd in every dimension that may be odd. */
    public static final Shape ODD = new Shape(33, 3, 2, 45, 271, 64, 0.4);

    /** A little larger, with whole vectors nearly everywhere. */
    public static final Shape EVEN = new Shape(64, 4, 3, 160, 300, 128, 0.5);
  }

  /** Writes a model into the directory, in one file. */
  public static RandomCheckpoint write(Path directory, Shape shape, DType dtype, long seed) {
    return write(directory, shape, dtype, seed, 1);
  }

  /** Writes a model into the directory, in the given number of shards. */
  public static RandomCheckpoint write(
      Path directory, Shape shape, DType dtype, long seed, int shards) {
    RandomCheckpoint checkpoint = new RandomCheckpoint(shape, new LinkedHashMap<>());
    Random random = new Random(seed);
    Map<String, long[]> shapes = shapes(shape);
    shapes.forEach((name, dims) -> checkpoint.tensors.put(name, values(name, dims, dtype, random)));
    try {
      Files.createDirectories(directory);
      Files.writeString(directory.resolve("config.json"), config(shape).toString());
      Files.writeString(directory.resolve("tokenizer.json"), tokenizer().toString());
      checkpoint.writeTensors(directory, shapes, dtype, shards);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return checkpoint;
  }

  static Map<String, long[]> shapes(Shape s) {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    shapes.put("model.embed_tokens.weight", new long[] {s.vocab, s.hidden});
    for (int i = 0; i < s.layers; i++) {
      String layer = "model.layers." + i + ".";
      affine(shapes, layer + "input_layernorm", s.hidden);
      for (String name : List.of("q_proj", "k_proj", "v_proj", "dense")) {
        affine(shapes, layer + "self_attn." + name, s.hidden, s.hidden);
      }
      affine(shapes, layer + "mlp.fc1", s.intermediate, s.hidden);
      affine(shapes, layer + "mlp.fc2", s.hidden, s.intermediate);
    }
    affine(shapes, "model.final_layernorm", s.hidden);
    affine(shapes, "lm_head", s.vocab, s.hidden);
    return shapes;
  }

  private static void affine(Map<String, long[]> shapes, String name, long... dims) {
    shapes.put(name + ".weight", dims);
    shapes.put(name + ".bias", new long[] {dims[0]});
  }

  static float[] values(String name, long[] dims, DType dtype, Random random) {
    int count = 1;
    for (long dim : dims) {
      count *= (int) dim;
    }
    // Scaled so that a layer keeps the size of its input, and the logits differ enough to have
    // winners.
    double scale =
        name.startsWith("model.embed") ? 1 : 1.5 / Math.sqrt((double) dims[dims.length - 1]);
    boolean norm = name.endsWith("norm.weight");
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      double value = norm ? 1 + 0.2 * random.nextGaussian() : scale * random.nextGaussian();
      values[i] = decode(encode((float) value, dtype), dtype);
    }
    return values;
  }

  private static int encode(float value, DType dtype) {
    return switch (dtype) {
      case F32 -> Float.floatToRawIntBits(value);
      case F16 -> Float.floatToFloat16(value);
      case BF16 -> Float.floatToRawIntBits(value) >>> 16;
      default -> throw new IllegalArgumentException("safetensors files do not have " + dtype);
    };
  }

  private static float decode(int bits, DType dtype) {
    return switch (dtype) {
      case F32 -> Float.intBitsToFloat(bits);
      case F16 -> Float.float16ToFloat((short) bits);
      case BF16 -> Float.intBitsToFloat(bits << 16);
      default -> throw new IllegalArgumentException("safetensors files do not have " + dtype);
    };
  }

  private static ObjectNode config(Shape s) {
    return JSON.createObjectNode()
        .put("model_type", "phi")
        .put("hidden_act", "gelu_new")
        .put("hidden_size", s.hidden)
        .put("num_attention_heads", s.heads)
        .put("num_hidden_layers", s.layers)
        .put("intermediate_size", s.intermediate)
        .put("vocab_size", s.vocab)
        .put("max_position_embeddings", s.context)
        .put("partial_rotary_factor", s.rotaryFactor)
        .put("rope_theta", 10000.0)
        .put("layer_norm_eps", 1e-5)
        .put("eos_token_id", END_OF_TEXT)
        .putNull("num_key_value_heads");
  }

  /** One token per byte, in GPT-2's alphabet of printable characters, and the end-of-text token. */
  private static ObjectNode tokenizer() {
    ObjectNode root = JSON.createObjectNode();
    ArrayNode added = root.putArray("added_tokens");
    added
        .addObject()
        .put("id", END_OF_TEXT)
        .put("content", "<|endoftext|>")
        .put("single_word", false)
        .put("lstrip", false)
        .put("rstrip", false)
        .put("normalized", false)
        .put("special", true);
    root.putNull("normalizer");
    root.putObject("pre_tokenizer").put("type", "ByteLevel").put("add_prefix_space", false);
    root.putObject("decoder").put("type", "ByteLevel");
    ObjectNode model = root.putObject("model").put("type", "BPE");
    ObjectNode vocab = model.putObject("vocab");
    int next = 256;
    for (int b = 0; b < 256; b++) {
      boolean printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b != 0xAD);
      vocab.put(Character.toString(printable ? b : next++), b);
    }
    model.putArray("merges");
    return root;
  }

  private void writeTensors(Path directory, Map<String, long[]> shapes, DType dtype, int shards)
      throws IOException {
    if (shards == 1) {
      writeFile(
          directory.resolve("model.safetensors"), List.copyOf(tensors.keySet()), shapes, dtype);
      return;
    }
    ObjectNode index = JSON.createObjectNode();
    ObjectNode map = index.putObject("weight_map");
    List<List<String>> names = new ArrayList<>();
    for (int i = 0; i < shards; i++) {
      names.add(new ArrayList<>());
    }
    int at = 0;
    for (String name : tensors.keySet()) {
      int shard = at++ % shards;
      names.get(shard).add(name);
      map.put(name, "model-0000%d-of-0000%d.safetensors".formatted(shard + 1, shards));
    }
    for (int i = 0; i < shards; i++) {
      String file = "model-0000%d-of-0000%d.safetensors".formatted(i + 1, shards);
      writeFile(directory.resolve(file), names.get(i), shapes, dtype);
    }
    Files.writeString(directory.resolve("model.safetensors.index.json"), index.toString());
  }

  private void writeFile(Path file, List<String> names, Map<String, long[]> shapes, DType dtype)
      throws IOException {
    ObjectNode header = JSON.createObjectNode();
    header.putObject("__metadata__").put("format", "pt");
    long offset = 0;
    for (String name : names) {
      ObjectNode entry = header.putObject(name).put("dtype", dtype.name());
      ArrayNode dims = entry.putArray("shape");
      for (long dim : shapes.get(name)) {
        dims.add(dim);
      }
      long end = offset + (long) tensors.get(name).length * dtype.blockBytes();
      entry.putArray("data_offsets").add(offset).add(end);
      offset = end;
    }
    byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.toIntExact(8 + json.length + offset))
            .order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(json.length).put(json);
    for (String name : names) {
      for (float value : tensors.get(name)) {
        int bits = encode(value, dtype);
        if (dtype == DType.F32) {
          bytes.putInt(bits);
        } else {
          bytes.putShort((short) bits);
        }
      }
    }
    Files.write(file, bytes.array());
  }
}

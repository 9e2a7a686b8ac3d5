package dev.flinfer.engine.tokenizer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Writes small files in the format of Hugging Face's {@code tokenizer.json}. */
final class TokenizerJson {
  private static final ObjectMapper JSON = new ObjectMapper();

  final ObjectNode root = JSON.createObjectNode();
  final ObjectNode model;
  final ObjectNode vocab;

  /** All bytes as ids 0 to 255, then the merged tokens in the order of the merges. */
  TokenizerJson(List<List<String>> merges) {
    root.put("version", "1.0").putNull("truncation").putNull("padding").putArray("added_tokens");
    root.putNull("normalizer");
    root.set("pre_tokenizer", byteLevel(false));
    root.set("post_processor", byteLevel(true));
    root.set("decoder", byteLevel(true));
    model = root.putObject("model").put("type", "BPE").putNull("dropout").putNull("unk_token");
    model.put("continuing_subword_prefix", "").put("end_of_word_suffix", "").put("fuse_unk", false);
    vocab = model.putObject("vocab");
    ids(merges).forEach(vocab::put);
    merges.forEach(m -> model.withArray("merges").add(String.join(" ", m)));
    model.withArray("merges");
  }

  /** The ids that the constructor assigns. */
  static Map<String, Integer> ids(List<List<String>> merges) {
    List<String> tokens = new ArrayList<>();
    for (int b = 0; b < 256; b++) {
      tokens.add(Character.toString(ByteLevel.charOf(b)));
    }
    merges.forEach(m -> tokens.add(String.join("", m)));
    Map<String, Integer> ids = new LinkedHashMap<>();
    tokens.forEach(token -> ids.putIfAbsent(token, ids.size()));
    return ids;
  }

  private static ObjectNode byteLevel(boolean addPrefixSpace) {
    return JSON.createObjectNode()
        .put("type", "ByteLevel")
        .put("add_prefix_space", addPrefixSpace)
        .put("trim_offsets", true);
  }

  TokenizerJson added(String content, int id, boolean special, boolean normalized) {
    root.withArray("added_tokens")
        .addObject()
        .put("id", id)
        .put("content", content)
        .put("single_word", false)
        .put("lstrip", false)
        .put("rstrip", false)
        .put("normalized", normalized)
        .put("special", special);
    return this;
  }

  /** Writes the file into a directory and returns the directory. */
  Path write(Path directory) {
    try {
      Files.writeString(directory.resolve("tokenizer.json"), root.toString());
      return directory;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

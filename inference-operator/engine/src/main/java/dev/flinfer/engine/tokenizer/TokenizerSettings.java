package dev.flinfer.engine.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flinfer.engine.weights.UntrustedJson;
import dev.flinfer.engine.weights.WeightFileException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;

/**
 * Refuses settings that would change the ids and are not supported here. A setting that is off may
 * be present; a setting that is on, or is unknown, may not.
 */
final class TokenizerSettings {
  private final Path file;

  TokenizerSettings(Path file) {
    this.file = file;
  }

  void check(JsonNode root) {
    mustBeOffExcept(
        "",
        root,
        Set.of("version", "model", "added_tokens", "pre_tokenizer", "post_processor", "decoder"));
    checkPreTokenizer(root.path("pre_tokenizer"));
    mustBe("decoder.type", root.path("decoder").path("type"), "ByteLevel");
    // ByteLevel as post-processor only moves offsets; others put tokens around the text.
    if (!UntrustedJson.isOff(root.path("post_processor"))) {
      mustBe("post_processor.type", root.path("post_processor").path("type"), "ByteLevel");
    }
    checkModel(root.path("model"));
    int i = 0;
    for (JsonNode token : root.path("added_tokens")) {
      mustBeOffExcept(
          "added_tokens[" + i++ + "].", token, Set.of("id", "content", "normalized", "special"));
    }
  }

  private void checkPreTokenizer(JsonNode node) {
    mustBe("pre_tokenizer.type", node.path("type"), "ByteLevel");
    mustBeOffExcept("pre_tokenizer.", node, Set.of("type", "trim_offsets", "use_regex"));
    mustBe("pre_tokenizer.add_prefix_space", node.path("add_prefix_space"), "false");
    mayBe("pre_tokenizer.use_regex", node.path("use_regex"), "true");
  }

  private void checkModel(JsonNode node) {
    mayBe("model.type", node.path("type"), "BPE");
    // With all 256 bytes in the vocabulary no text is unknown.
    mustBeOffExcept("model.", node, Set.of("type", "vocab", "merges", "unk_token", "fuse_unk"));
  }

  private void mustBe(String place, JsonNode node, String value) {
    if (!node.asText().equals(value)) {
      throw new WeightFileException(
          file,
          place
              + " is "
              + TokenizerFile.show(node)
              + "; only "
              + value
              + " is supported: byte-level BPE as in Phi-2");
    }
  }

  private void mayBe(String place, JsonNode node, String value) {
    if (!node.isMissingNode()) {
      mustBe(place, node, value);
    }
  }

  private void mustBeOffExcept(String place, JsonNode object, Set<String> known) {
    for (Map.Entry<String, JsonNode> entry : object.properties()) {
      if (!known.contains(entry.getKey()) && !UntrustedJson.isOff(entry.getValue())) {
        throw new WeightFileException(
            file,
            place
                + entry.getKey()
                + " is "
                + TokenizerFile.show(entry.getValue())
                + "; it would change the tokens and is not supported: byte-level BPE as in Phi-2"
                + " does not use it");
      }
    }
  }
}

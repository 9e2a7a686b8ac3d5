package dev.flinfer.engine.tokenizer;

import static dev.flinfer.engine.tokenizer.VocabularyBuilder.quote;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flinfer.engine.weights.UntrustedJson;
import dev.flinfer.engine.weights.WeightFileException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** Reads {@code tokenizer.json} and checks every entry. The file is untrusted. */
final class TokenizerFile {
  /** Phi-2's ids are below 51,200. Bounds the table from ids to bytes. */
  static final int MAX_ID = (1 << 20) - 1;

  private final Path file;
  private final JsonNode root;
  private final VocabularyBuilder builder;
  private final Vocabulary.Tokens tokens;

  private TokenizerFile(Path file) {
    this.file = file;
    this.root = parse(file);
    this.builder = new VocabularyBuilder(file, "model.vocab", "model.merges");
    this.tokens = builder.tokens();
  }

  static Vocabulary read(Path file) {
    return new TokenizerFile(file).vocabulary();
  }

  private static JsonNode parse(Path file) {
    if (!Files.exists(file)) {
      throw new WeightFileException(
          file, "is missing; a model directory holds the tokenizer.json of its model");
    }
    return UntrustedJson.read(file);
  }

  private Vocabulary vocabulary() {
    new TokenizerSettings(file).check(root);
    readVocab(root.path("model").path("vocab"));
    builder.findBytes();
    readMerges(root.path("model").path("merges"));
    AddedTokens first = new AddedTokens();
    AddedTokens then = new AddedTokens();
    readAdded(root.path("added_tokens"), first, then);
    return builder.build(first, then);
  }

  private void readVocab(JsonNode vocab) {
    require(vocab.isObject(), () -> "model.vocab is " + show(vocab) + "; it must be an object");
    for (Map.Entry<String, JsonNode> entry : vocab.properties()) {
      String token = entry.getKey();
      int id = id(() -> "model.vocab[" + quote(token) + "]", entry.getValue());
      String taken = tokens.put(token, id);
      require(
          taken == null,
          () ->
              "model.vocab has the id %d twice, for %s and %s"
                  .formatted(id, quote(taken), quote(token)));
    }
  }

  private int id(Supplier<String> place, JsonNode node) {
    require(
        node.isInt() && node.intValue() >= 0 && node.intValue() <= MAX_ID,
        () ->
            "%s is %s; an id is a whole number from 0 to %d"
                .formatted(place.get(), show(node), MAX_ID));
    return node.intValue();
  }

  private void readMerges(JsonNode array) {
    require(array.isArray(), () -> "model.merges is " + show(array) + "; it must be an array");
    builder.expectMerges(array.size());
    for (int rank = 0; rank < array.size(); rank++) {
      String[] parts = parts("model.merges[" + rank + "]", array.get(rank));
      builder.merge(rank, parts[0], parts[1]);
    }
  }

  /** Parses both forms of a merge: "a b" and, since tokenizers 0.20, ["a", "b"]. */
  private String[] parts(String place, JsonNode merge) {
    String[] parts =
        merge.isArray()
            ? new String[] {merge.path(0).asText(), merge.path(1).asText()}
            : merge.asText().split(" ", -1);
    boolean whole = merge.isArray() ? merge.size() == 2 : parts.length == 2;
    require(
        whole && !parts[0].isEmpty() && !parts[1].isEmpty(),
        () -> place + " is " + show(merge) + "; a merge is \"a b\" or [\"a\", \"b\"]");
    return parts;
  }

  private void readAdded(JsonNode array, AddedTokens first, AddedTokens then) {
    require(
        array.isArray() || array.isMissingNode(),
        () -> "added_tokens is " + show(array) + "; it must be an array");
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < array.size(); i++) {
      String place = "added_tokens[" + i + "]";
      JsonNode token = array.get(i);
      String content = token.path("content").asText();
      require(!content.isEmpty(), () -> place + ".content is empty or missing");
      require(seen.add(content), () -> place + " is " + quote(content) + ", which already exists");
      int id = addedId(place, content, token.path("id"));
      builder.countAdded(place, content);
      (token.path("normalized").asBoolean() ? then : first).add(content, id);
      if (token.path("special").asBoolean()) {
        builder.special(id);
      }
    }
  }

  /** An added token is a token of the vocabulary with its id, or a new token with a new id. */
  private int addedId(String place, String content, JsonNode node) {
    int id = id(() -> place + ".id", node);
    Integer known = tokens.idOf(content);
    String taken = known == null ? tokens.put(content, id) : content;
    require(
        known == null ? taken == null : known == id,
        () ->
            "%s is %s with id %d; model.vocab has %s with id %d"
                .formatted(place, quote(content), id, quote(taken), known == null ? id : known));
    return id;
  }

  private void require(boolean holds, Supplier<String> problem) {
    builder.require(holds, problem);
  }

  /** A value as it is in the file, shortened for a message. */
  static String show(JsonNode node) {
    return node.isMissingNode() ? "missing" : UntrustedJson.show(node);
  }
}

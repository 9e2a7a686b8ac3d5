package dev.flinfer.engine.tokenizer;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flinfer.engine.weights.WeightFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Reads {@code tokenizer.json} and checks every entry. The file is untrusted. */
final class TokenizerFile {
  /** Phi-2's has 2.1 MB, the largest vocabularies in use some 10. Bounds the memory of parsing. */
  static final int MAX_BYTES = 16 << 20;

  /** Phi-2's are below 51,200. Bounds the table from ids to bytes. */
  static final int MAX_ID = (1 << 20) - 1;

  /** Jackson bounds nesting and the length of numbers by itself. */
  private static final ObjectMapper JSON =
      new ObjectMapper(
              JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private final Path file;
  private final JsonNode root;
  private final Vocabulary.Tokens tokens = new Vocabulary.Tokens();
  private final Set<Integer> special = new HashSet<>();

  private TokenizerFile(Path file) {
    this.file = file;
    this.root = parse(file);
  }

  static Vocabulary read(Path file) {
    return new TokenizerFile(file).vocabulary();
  }

  private static JsonNode parse(Path file) {
    if (!Files.exists(file)) {
      throw new WeightFileException(
          file, "is missing; a model directory holds the tokenizer.json of its checkpoint");
    }
    try {
      long size = Files.size(file);
      if (size > MAX_BYTES) {
        throw new WeightFileException(
            file, "has " + size + " bytes; a tokenizer has at most " + MAX_BYTES);
      }
      return JSON.readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new WeightFileException(file, "broken JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new WeightFileException(file, "cannot be read: " + e, e);
    }
  }

  private Vocabulary vocabulary() {
    new TokenizerSettings(file).check(root);
    readVocab(root.path("model").path("vocab"));
    int[] idOfByte = idOfByte();
    Merges merges = merges(root.path("model").path("merges"));
    AddedTokens first = new AddedTokens();
    AddedTokens then = new AddedTokens();
    readAdded(root.path("added_tokens"), first, then);
    return new Vocabulary(idOfByte, merges, first, then, bytesOfId());
  }

  private void readVocab(JsonNode vocab) {
    require(vocab.isObject(), "model.vocab is %s; it must be an object", show(vocab));
    for (Map.Entry<String, JsonNode> entry : vocab.properties()) {
      String token = entry.getKey();
      String taken = tokens.put(token, id("model.vocab[" + quote(token) + "]", entry.getValue()));
      require(
          taken == null,
          "model.vocab has the id %s twice, for %s and %s",
          entry.getValue(),
          quote(String.valueOf(taken)),
          quote(token));
    }
  }

  private int id(String place, JsonNode node) {
    require(
        node.isInt() && node.intValue() >= 0 && node.intValue() <= MAX_ID,
        "%s is %s; an id is a whole number from 0 to %d",
        place,
        show(node),
        MAX_ID);
    return node.intValue();
  }

  private int[] idOfByte() {
    int[] ids = new int[256];
    for (int b = 0; b < 256; b++) {
      String letter = Character.toString(ByteLevel.charOf(b));
      Integer id = tokens.idOf(letter);
      require(
          id != null,
          "model.vocab lacks %s, the byte %02X; a byte-level vocabulary has all 256",
          quote(letter),
          b);
      ids[b] = id;
    }
    return ids;
  }

  private Merges merges(JsonNode array) {
    require(array.isArray(), "model.merges is %s; it must be an array", show(array));
    Merges merges = new Merges(array.size());
    for (int rank = 0; rank < array.size(); rank++) {
      String place = "model.merges[" + rank + "]";
      String[] parts = parts(place, array.get(rank));
      int left = idOfPart(place, parts[0]);
      int right = idOfPart(place, parts[1]);
      int merged = idOfPart(place, parts[0] + parts[1]);
      require(
          merges.put(left, right, rank, merged),
          "%s merges %s and %s, which an earlier one does",
          place,
          quote(parts[0]),
          quote(parts[1]));
    }
    return merges;
  }

  /** Both ways of writing a merge: "a b", and since tokenizers 0.20 ["a", "b"]. */
  private String[] parts(String place, JsonNode merge) {
    String[] parts = {};
    if (merge.isTextual()) {
      parts = merge.textValue().split(" ", -1);
    } else if (merge.isArray() && merge.size() == 2) {
      parts = new String[] {merge.get(0).asText(), merge.get(1).asText()};
    }
    require(
        parts.length == 2 && !parts[0].isEmpty() && !parts[1].isEmpty(),
        "%s is %s; a merge is \"a b\" or [\"a\", \"b\"]",
        place,
        show(merge));
    return parts;
  }

  private int idOfPart(String place, String token) {
    Integer id = tokens.idOf(token);
    require(id != null, "%s needs %s, which model.vocab lacks", place, quote(token));
    return id;
  }

  private void readAdded(JsonNode array, AddedTokens first, AddedTokens then) {
    require(
        array.isArray() || array.isMissingNode(),
        "added_tokens is %s; it must be an array",
        show(array));
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < array.size(); i++) {
      String place = "added_tokens[" + i + "]";
      JsonNode token = array.get(i);
      String content = token.path("content").asText();
      require(!content.isEmpty(), "%s.content is empty or missing", place);
      require(seen.add(content), "%s is %s, which is there already", place, quote(content));
      int id = id(place + ".id", token.path("id"));
      Integer known = tokens.idOf(content);
      String taken = known == null ? tokens.put(content, id) : content;
      require(
          known == null ? taken == null : known == id,
          "%s is %s with id %d; model.vocab has %s with id %d",
          place,
          quote(content),
          id,
          quote(String.valueOf(taken)),
          known == null ? id : known);
      (token.path("normalized").asBoolean() ? then : first).add(content, id);
      if (token.path("special").asBoolean()) {
        special.add(id);
      }
    }
  }

  private byte[][] bytesOfId() {
    byte[] nothing = {};
    byte[][] bytes = new byte[tokens.highestId() + 1][];
    Arrays.fill(bytes, nothing);
    tokens.texts().forEach((id, text) -> bytes[id] = ByteLevel.bytesOf(text));
    special.forEach(id -> bytes[id] = nothing);
    return bytes;
  }

  private void require(boolean holds, String message, Object... values) {
    if (!holds) {
      throw new WeightFileException(file, String.format(message, values));
    }
  }

  /** A value for a message, as in the file but not too long. */
  static String show(JsonNode node) {
    return node.isMissingNode() ? "missing" : shorten(node.toString());
  }

  private static String quote(String text) {
    return '"' + shorten(text) + '"';
  }

  private static String shorten(String text) {
    return text.length() <= 60 ? text : text.substring(0, 60) + "...";
  }
}

package dev.flinfer.engine.tokenizer;

import java.util.HashMap;
import java.util.Map;

/**
 * A checked {@code tokenizer.json}.
 *
 * @param idOfByte (256,) the token of each byte
 * @param merges the pairs that become one token
 * @param addedFirst added tokens that Hugging Face looks for first: {@code normalized} is false
 * @param addedThen those it looks for in what is left
 * @param bytesOfId (highest id + 1, bytes) what each id adds to a text, empty for special tokens
 *     and ids without a token
 */
record Vocabulary(
    int[] idOfByte,
    Merges merges,
    AddedTokens addedFirst,
    AddedTokens addedThen,
    byte[][] bytesOfId) {

  /** Ids and texts of tokens while they are read; holds both unique. */
  static final class Tokens {
    private final Map<String, Integer> idOf = new HashMap<>();
    private final Map<Integer, String> textOf = new HashMap<>();

    /**
     * @return null, or the text that has this id already
     */
    String put(String text, int id) {
      String taken = textOf.putIfAbsent(id, text);
      if (taken == null) {
        idOf.put(text, id);
      }
      return taken;
    }

    /** The id of a token's text, or null. */
    Integer idOf(String text) {
      return idOf.get(text);
    }

    int highestId() {
      return textOf.keySet().stream().mapToInt(Integer::intValue).max().orElse(-1);
    }

    /** Texts by their ids. */
    Map<Integer, String> texts() {
      return textOf;
    }
  }
}

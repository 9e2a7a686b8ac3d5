package dev.flinfer.engine.tokenizer;

import java.util.HashMap;
import java.util.Map;

/**
 * A checked {@code tokenizer.json}.
 *
 * @param idOfByte (256,) the token of each byte
 * @param merges the pairs that become one token
 * @param addedFirst added tokens that Hugging Face searches for first: {@code normalized} is false
 * @param addedThen added tokens that it searches for in the rest
 * @param bytesOfId (highest id + 1, bytes) the bytes that each id adds to a text, empty for special
 *     tokens and ids without a token
 */
record Vocabulary(
    int[] idOfByte,
    Merges merges,
    AddedTokens addedFirst,
    AddedTokens addedThen,
    byte[][] bytesOfId) {

  /** The maximum number of characters of a text that become one token. */
  int longestToken() {
    int longest = Math.max(addedFirst.longest(), addedThen.longest());
    for (byte[] bytes : bytesOfId) {
      longest = Math.max(longest, bytes.length); // no character has less than a byte
    }
    return longest;
  }

  /** Ids and texts of tokens while they are read; keeps both unique. */
  static final class Tokens {
    private final Map<String, Integer> idOf = new HashMap<>();
    private final Map<Integer, String> textOf = new HashMap<>();

    /** Adds a token and returns null; if its id is taken, returns the text that has it instead. */
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

package dev.flinfer.engine.tokenizer;

import dev.flinfer.engine.weights.UntrustedJson;
import dev.flinfer.engine.weights.WeightFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.function.Supplier;

/** Builds a vocabulary and checks what must hold for it in every kind of file. */
final class VocabularyBuilder {
  /** The same as for ids; Phi-2 has 50,000. */
  private static final int MAX_MERGES = TokenizerFile.MAX_ID + 1;

  /** Phi-2's added tokens have fewer than 1000. */
  private static final int MAX_ADDED_CHARS = 1 << 18;

  private final Path file;
  private final String vocabName;
  private final String mergesName;

  private final Vocabulary.Tokens tokens = new Vocabulary.Tokens();
  private final Set<Integer> special = new HashSet<>();
  private final int[] idOfByte = new int[256];
  private int addedChars;
  private Merges merges = new Merges(0);

  /**
   * @param vocabName the name of the tokens in the file, for messages
   * @param mergesName the name of the merges
   */
  VocabularyBuilder(Path file, String vocabName, String mergesName) {
    this.file = file;
    this.vocabName = vocabName;
    this.mergesName = mergesName;
  }

  Vocabulary.Tokens tokens() {
    return tokens;
  }

  /** Marks a token that adds nothing to a text. */
  void special(int id) {
    special.add(id);
  }

  /** Must be called for each added token, because a trie takes much more memory than its texts. */
  void countAdded(String place, String content) {
    addedChars += content.length();
    require(
        addedChars <= MAX_ADDED_CHARS,
        () ->
            "%s has %d characters; the limit for all added tokens together is %d"
                .formatted(place, content.length(), MAX_ADDED_CHARS));
  }

  /** Finds the tokens of single bytes among those put so far. */
  void findBytes() {
    for (int b = 0; b < 256; b++) {
      int unsignedByte = b;
      String letter = Character.toString(ByteLevel.charOf(b));
      Integer id = tokens.idOf(letter);
      require(
          id != null,
          () ->
              "%s lacks %s, the byte %02X; a byte-level vocabulary has all 256"
                  .formatted(vocabName, quote(letter), unsignedByte));
      idOfByte[b] = id;
    }
  }

  /** Must be called before the first merge. */
  void expectMerges(int count) {
    require(
        count <= MAX_MERGES,
        () -> "%s has %d entries; the limit is %d".formatted(mergesName, count, MAX_MERGES));
    merges = new Merges(count);
  }

  void merge(int rank, String left, String right) {
    String place = mergesName + "[" + rank + "]";
    require(
        merges.put(
            idOfPart(place, left), idOfPart(place, right), rank, idOfPart(place, left + right)),
        () ->
            "%s merges %s and %s, as an earlier merge does"
                .formatted(place, quote(left), quote(right)));
  }

  private int idOfPart(String place, String token) {
    Integer id = tokens.idOf(token);
    require(id != null, () -> place + " needs " + quote(token) + ", which " + vocabName + " lacks");
    return id;
  }

  Vocabulary build(AddedTokens first, AddedTokens then) {
    byte[] nothing = {};
    byte[][] bytes = new byte[tokens.highestId() + 1][];
    Arrays.fill(bytes, nothing);
    tokens.texts().forEach((id, text) -> bytes[id] = ByteLevel.bytesOf(text));
    special.forEach(id -> bytes[id] = nothing);
    return new Vocabulary(idOfByte, merges, first, then, bytes);
  }

  void require(boolean holds, Supplier<String> problem) {
    if (!holds) {
      throw new WeightFileException(file, problem.get());
    }
  }

  static String quote(String text) {
    return '"' + UntrustedJson.show(text) + '"';
  }
}

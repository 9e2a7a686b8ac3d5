package dev.flinfer.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

/** The encoder gives the tokens of the definition, for any merges. */
class BpeLawsTest {
  @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
  void trainedMerges(
      @ForAll("texts") @Size(max = 8) List<String> corpus,
      @ForAll @IntRange(max = 60) int count,
      @ForAll("texts") @Size(min = 1, max = 5) List<String> texts) {
    List<List<String>> merges = NaiveBpe.train(corpus, count);

    texts.forEach(text -> assertEncodes(text, merges));
    corpus.forEach(text -> assertEncodes(text, merges));
  }

  /** Merges that no training gives: the same token from different pairs, ranks in any order. */
  @Property(tries = 300, edgeCases = EdgeCasesMode.NONE)
  void arbitraryMerges(
      @ForAll @Size(max = 30) List<@IntRange(max = 10_000) Integer> choices,
      @ForAll @IntRange(max = 1000) int rotation,
      @ForAll("texts") @Size(min = 1, max = 5) List<String> texts) {
    List<String> tokens = new ArrayList<>(List.of("a", "b", "c", "Ġ"));
    Set<List<String>> merges = new LinkedHashSet<>();
    for (int choice : choices) {
      String left = tokens.get(choice % 100 % tokens.size());
      String right = tokens.get(choice / 100 % tokens.size());
      merges.add(List.of(left, right));
      tokens.add(left + right);
    }
    List<List<String>> ranked = new ArrayList<>(merges);
    Collections.rotate(ranked, rotation);

    texts.forEach(text -> assertEncodes(text, ranked));
  }

  private static void assertEncodes(String text, List<List<String>> merges) {
    Map<String, Integer> ids = TokenizerJson.ids(merges);
    Merges table = new Merges(merges.size());
    for (int rank = 0; rank < merges.size(); rank++) {
      String left = merges.get(rank).get(0);
      String right = merges.get(rank).get(1);
      table.put(ids.get(left), ids.get(right), rank, ids.get(left + right));
    }
    int[] idOfByte = new int[256];
    Arrays.setAll(idOfByte, b -> ids.get(Character.toString(ByteLevel.charOf(b))));
    IntList out = new IntList();

    new BytePairEncoder(idOfByte, table).encode(text.getBytes(StandardCharsets.UTF_8), out);

    assertThat(out.toArray())
        .isEqualTo(NaiveBpe.tokens(text, merges).stream().mapToInt(ids::get).toArray());
  }

  /** Few letters, so that pairs occur often. */
  @Provide
  Arbitrary<List<String>> texts() {
    return Arbitraries.strings().withChars('a', 'b', 'c', ' ', 'é').ofMaxLength(60).list();
  }
}

package dev.flinfer.engine.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** All stop strings are found at once, with the result of a search for each of them. */
final class StopStringsTest {
  /** A text of the given pieces, in which each stop string is searched for by itself. */
  private static final class Searched {
    private final List<String> stops;
    private final boolean include;
    private final int minTokens;
    private final StringBuilder text = new StringBuilder();
    private int tokens;
    private boolean stopped;

    Searched(List<String> stops, boolean include, int minTokens) {
      this.stops = stops;
      this.include = include;
      this.minTokens = minTokens;
    }

    void add(String part) {
      int before = text.length();
      text.append(part);
      int first = -1;
      int end = 0;
      for (String stop : ++tokens > minTokens ? stops : List.<String>of()) {
        int at = text.indexOf(stop, Math.max(0, before - stop.length() + 1));
        if (at >= 0 && (first < 0 || at < first)) {
          first = at;
          end = include ? at + stop.length() : at;
        }
      }
      if (first >= 0) {
        stopped = true;
        text.setLength(end);
      }
    }
  }

  /** Token i is the i-th piece. */
  private record Pieces(List<String> pieces) implements Tokenizer.IncrementalDecoder {
    @Override
    public String add(int token) {
      return pieces.get(token);
    }

    @Override
    public String finish() {
      return "";
    }
  }

  @Property(tries = 3000)
  void theTextEndsWhereASearchForEachStringEndsIt(@ForAll long seed) {
    Random random = new Random(seed);
    List<String> stops = new ArrayList<>();
    for (int i = random.nextInt(8); i >= 0; i--) {
      stops.add(letters(random, 1 + random.nextInt(6)));
    }
    List<String> pieces = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      pieces.add(letters(random, random.nextInt(5)));
    }
    boolean include = random.nextBoolean();
    int minTokens = random.nextInt(4);
    Searched expected = new Searched(stops, include, minTokens);
    CompletionText text =
        new CompletionText(
            new Pieces(pieces),
            new StopConditions(new StopStrings(stops), include, Set.of(), false, minTokens));
    int longest = stops.stream().mapToInt(String::length).max().getAsInt();
    StringBuilder streamed = new StringBuilder();
    for (int token = 0; token < pieces.size() && !expected.stopped; token++) {
      expected.add(pieces.get(token));
      text.add(token);
      streamed.append(text.stream(false));

      assertThat(text.stopped()).as("%s in %s", stops, pieces).isEqualTo(expected.stopped);
      assertThat(text).as("%s in %s", stops, pieces).hasToString(expected.text.toString());
      int heldBack = include || expected.stopped ? 0 : longest - 1;
      assertThat(streamed)
          .hasToString(expected.text.substring(0, Math.max(0, expected.text.length() - heldBack)));
    }
  }

  /** Two letters, so that strings often overlap, contain and repeat each other. */
  private static String letters(Random random, int length) {
    StringBuilder letters = new StringBuilder();
    for (int i = 0; i < length; i++) {
      letters.append((char) ('a' + random.nextInt(2)));
    }
    return letters.toString();
  }

  @Test
  void ofStringsThatStartAtTheSamePlaceTheFirstInTheRequestCounts() {
    assertThat(included("abcd", "bc", "ab", "abc")).isEqualTo("ab");
    assertThat(included("abcd", "bc", "abc", "ab")).isEqualTo("abc");
  }

  /** All of the text is one token, and the stop string is included in the result. */
  private static String included(String whole, String... stops) {
    CompletionText text =
        new CompletionText(
            new Pieces(List.of(whole)),
            new StopConditions(new StopStrings(List.of(stops)), true, Set.of(), false, 0));
    text.add(0);
    return text.toString();
  }
}

package dev.flinfer.engine.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The oracle: the merge algorithm by its definition, and the training that produces merges. */
final class NaiveBpe {
  private NaiveBpe() {}

  /** The piece's bytes as letters of GPT-2's alphabet. */
  static List<String> letters(String piece) {
    List<String> letters = new ArrayList<>();
    for (byte b : piece.getBytes(StandardCharsets.UTF_8)) {
      letters.add(Character.toString(ByteLevel.charOf(b & 0xFF)));
    }
    return letters;
  }

  /** Merges the leftmost pair of the lowest rank until no pair is left. */
  static List<String> tokens(String piece, List<List<String>> merges) {
    Map<List<String>, Integer> ranks = new HashMap<>();
    for (int i = 0; i < merges.size(); i++) {
      ranks.put(merges.get(i), i);
    }
    List<String> tokens = letters(piece);
    while (true) {
      int best = -1;
      int bestRank = Integer.MAX_VALUE;
      for (int i = 0; i + 1 < tokens.size(); i++) {
        int rank = ranks.getOrDefault(tokens.subList(i, i + 2), Integer.MAX_VALUE);
        if (rank < bestRank) {
          best = i;
          bestRank = rank;
        }
      }
      if (best < 0) {
        return tokens;
      }
      tokens.set(best, tokens.get(best) + tokens.remove(best + 1));
    }
  }

  /** Learns merges from texts: repeatedly merges the most frequent pair. */
  static List<List<String>> train(List<String> texts, int count) {
    List<List<String>> words = new ArrayList<>();
    texts.forEach(
        text ->
            PreTokenizer.GPT2.matcher(text).results().forEach(m -> words.add(letters(m.group()))));
    List<List<String>> merges = new ArrayList<>();
    while (merges.size() < count) {
      Map<List<String>, Integer> counts = new HashMap<>();
      for (List<String> word : words) {
        for (int i = 0; i + 1 < word.size(); i++) {
          counts.merge(List.of(word.get(i), word.get(i + 1)), 1, Integer::sum);
        }
      }
      if (counts.isEmpty()) {
        return merges;
      }
      List<String> best =
          Collections.max(
                  counts.entrySet(),
                  Map.Entry.<List<String>, Integer>comparingByValue()
                      .thenComparing(e -> String.join(" ", e.getKey())))
              .getKey();
      merges.add(best);
      words.forEach(word -> merge(word, best));
    }
    return merges;
  }

  private static void merge(List<String> word, List<String> pair) {
    for (int i = 0; i + 1 < word.size(); i++) {
      if (word.subList(i, i + 2).equals(pair)) {
        word.set(i, word.get(i) + word.remove(i + 1));
      }
    }
  }
}

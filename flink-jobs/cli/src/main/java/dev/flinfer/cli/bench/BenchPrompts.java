package dev.flinfer.cli.bench;

import dev.flinfer.engine.tokenizer.Tokenizer;
import dev.flinfer.schema.CompletionRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Realistic requests: prompts of words, each with about a given number of tokens. */
final class BenchPrompts {
  private static final List<String> WORDS =
      List.of(
          "about",
          "again",
          "answer",
          "book",
          "bring",
          "change",
          "city",
          "close",
          "day",
          "early",
          "family",
          "first",
          "good",
          "hand",
          "house",
          "know",
          "large",
          "light",
          "little",
          "long",
          "make",
          "money",
          "morning",
          "name",
          "never",
          "night",
          "order",
          "other",
          "paper",
          "people",
          "place",
          "plant",
          "question",
          "river",
          "room",
          "school",
          "side",
          "small",
          "sound",
          "start",
          "story",
          "table",
          "thing",
          "think",
          "time",
          "today",
          "tree",
          "under",
          "water",
          "week",
          "white",
          "winter",
          "word",
          "work",
          "world",
          "year");

  /** A single token in every byte-level vocabulary. */
  private static final String SHORTEST = "a";

  private final int tokens;
  private final int generate;
  private final int[] lengths; // (words), tokens of each word with a space before it
  private final Random random = new Random(1);
  private int created;

  /**
   * @param tokens maximum number of tokens of a prompt, which ends at the last word that fits
   * @param generate tokens to generate
   */
  BenchPrompts(Tokenizer tokenizer, int tokens, int generate) {
    this.tokens = tokens;
    this.generate = generate;
    // The tokenizer encodes each word separately, with the space before it.
    this.lengths = WORDS.stream().mapToInt(word -> tokenizer.encode(" " + word).length).toArray();
  }

  /** Creates requests with unique ids and texts; greedy, and without an early end. */
  List<CompletionRequest> next(int count) {
    List<CompletionRequest> requests = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      requests.add(
          CompletionRequest.newBuilder()
              .setId("bench-" + created++)
              .setPrompt(text())
              .setMaxTokens(generate)
              .setTemperature(0)
              .setIgnoreEos(true)
              .build());
    }
    return requests;
  }

  private String text() {
    StringBuilder text = new StringBuilder(SHORTEST);
    int left = tokens - 1;
    while (true) {
      int word = random.nextInt(lengths.length);
      if (lengths[word] > left) {
        return text.toString();
      }
      left -= lengths[word];
      text.append(' ').append(WORDS.get(word));
    }
  }
}

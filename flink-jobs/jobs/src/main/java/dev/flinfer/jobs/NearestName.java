package dev.flinfer.jobs;

import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;

/** Finds the name that a misspelt one probably means. */
public final class NearestName {
  private NearestName() {}

  /** Returns the most similar of the names, if at least half of its letters are in their places. */
  public static Optional<String> to(String misspelt, Stream<String> names) {
    return names
        .min(Comparator.comparingDouble(name -> difference(misspelt, name)))
        .filter(name -> difference(misspelt, name) <= 0.5);
  }

  private static double difference(String a, String b) {
    return distance(a, b) / (double) Math.max(1, Math.max(a.length(), b.length()));
  }

  /** Levenshtein's distance: how many letters must be inserted, deleted or replaced. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}

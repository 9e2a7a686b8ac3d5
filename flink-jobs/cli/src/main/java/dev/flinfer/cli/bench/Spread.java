package dev.flinfer.cli.bench;

import dev.flinfer.cli.Text;
import java.util.Arrays;

/** Median, minimum and maximum of repeated measurements. */
record Spread(double median, double min, double max) {

  /**
   * @param values (runs), at least one value
   */
  static Spread of(double... values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    int middle = sorted.length / 2;
    double median =
        sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    return new Spread(median, sorted[0], sorted[sorted.length - 1]);
  }

  /** Returns text such as {@code 1,234 (1,200-1,250)}. */
  @Override
  public String toString() {
    return "%s (%s-%s)".formatted(Text.figure(median), Text.figure(min), Text.figure(max));
  }
}

package dev.flinfer.cli.quickstart;

import dev.flinfer.cli.Prompts;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.Throughput;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** Figures of a run, from its completions and throughput records. */
final class Figures {
  private static final double MILLIS = 1000;

  private Figures() {}

  /** Values in ascending order. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  record Quantiles(double[] sorted) {

    static Quantiles of(Collection<Completion> completions, ToDoubleFunction<Completion> value) {
      double[] values = completions.stream().mapToDouble(value).toArray();
      Arrays.sort(values);
      return new Quantiles(values);
    }

    /**
     * Returns the smallest value that at least a share q of the values does not exceed; 0 if empty.
     */
    double at(double q) {
      int rank = (int) Math.ceil(q * sorted.length);
      return sorted.length == 0 ? 0 : sorted[Math.max(rank, 1) - 1];
    }
  }

  /** The number of labeled prompts, and how many of them were completed with their label. */
  record Accuracy(int right, int of) {

    /** Returns a line such as {@code accuracy 97.4 % (974 of 1000)}. */
    String line() {
      // Truncated to tenths, not rounded: 100.0 % means all of them.
      long tenths = of == 0 ? 0 : 1000L * right / of;
      return "accuracy %d.%d %% (%d of %d)".formatted(tenths / 10, tenths % 10, right, of);
    }
  }

  static Accuracy accuracy(
      Collection<Prompts.Prompt> prompts, Map<String, Completion> completions) {
    int right = 0;
    int of = 0;
    for (Prompts.Prompt prompt : prompts) {
      if (prompt.label() != null) {
        of++;
        Completion completion = completions.get(prompt.id());
        right += completion != null && label(completion).equals(prompt.label()) ? 1 : 0;
      }
    }
    return new Accuracy(right, of);
  }

  /** Returns the first line of the completion. */
  static String label(Completion completion) {
    return completion.getText().lines().findFirst().orElse("").strip();
  }

  /** Returns tokens/s from the first to the last window in which requests ended. */
  static double tokensPerSecond(List<Throughput> windows) {
    List<Throughput> busy = windows.stream().filter(w -> w.getCompletionTokens() > 0).toList();
    long start = busy.stream().mapToLong(Throughput::getWindowStart).min().orElse(0);
    long end = busy.stream().mapToLong(Throughput::getWindowEnd).max().orElse(0);
    long tokens = busy.stream().mapToLong(Throughput::getCompletionTokens).sum();
    return end > start ? tokens / ((end - start) / MILLIS) : 0;
  }

  /** Mean over forward passes; their number per window is estimated as tokens / mean batch size. */
  static double meanBatchSize(List<Throughput> windows) {
    double tokens = 0;
    double steps = 0;
    for (Throughput window : windows) {
      if (window.getMeanBatchSize() > 0) {
        tokens += window.getCompletionTokens();
        steps += window.getCompletionTokens() / window.getMeanBatchSize();
      }
    }
    return steps > 0 ? tokens / steps : 0;
  }
}

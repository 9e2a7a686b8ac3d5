package dev.flinfer.cli;

import java.util.Locale;

/** The progress of a long task as a line of text. Pure: the caller passes the time. */
final class Progress {
  private static final double NANOS = 1e9;

  private final String what;
  private final long total;
  private final long startNanos;

  /**
   * @param what the things counted, such as {@code prompts}
   * @param total their number; 0 if it is unknown
   */
  Progress(String what, long total, long startNanos) {
    this.what = what;
    this.total = total;
    this.startNanos = startNanos;
  }

  /** Returns a line such as {@code prompts 640 of 1,000 (64 %), 213/s, ETA 2 s}. */
  String line(long done, long nowNanos) {
    double seconds = (nowNanos - startNanos) / NANOS;
    double rate = seconds > 0 ? done / seconds : 0;
    StringBuilder line = new StringBuilder(what).append(' ').append(Text.count(done));
    if (total > 0) {
      line.append(" of ").append(Text.count(total));
      line.append(" (").append(100 * done / total).append(" %)");
    }
    line.append(", ").append(rate(rate));
    if (total > done && rate > 0) {
      line.append(", ETA ").append(Text.duration((total - done) / rate));
    }
    return line.toString();
  }

  private static String rate(double rate) {
    return rate >= 10 || rate == 0
        ? Text.count(Math.round(rate)) + "/s"
        : String.format(Locale.ROOT, "%.1f/s", rate);
  }
}

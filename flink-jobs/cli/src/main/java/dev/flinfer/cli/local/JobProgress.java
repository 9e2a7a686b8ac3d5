package dev.flinfer.cli.local;

import dev.flinfer.cli.Text;
import java.util.Locale;
import java.util.OptionalLong;

/**
 * How far a job is.
 *
 * @param answered completions that the job has sent. After a failure it sends those since its last
 *     checkpoint again, and they count again
 * @param perSecond completions per second, lately
 * @param waiting records of the input topic that the job has not read; empty if Kafka does not say
 * @param inFlight requests whose outcome is not sent
 * @param rejected rejections that the job has sent
 * @param restarts how often the job was restarted after a failure
 */
record JobProgress(
    long answered,
    double perSecond,
    OptionalLong waiting,
    long inFlight,
    long rejected,
    long restarts) {

  /** Returns it as a line that fits a terminal of 80 columns. */
  String line() {
    StringBuilder line = new StringBuilder(Text.count(answered)).append(" answered");
    line.append(String.format(Locale.ROOT, perSecond < 10 ? ", %.1f/s" : ", %.0f/s", perSecond));
    line.append(", ").append(waiting.isPresent() ? Text.count(waiting.getAsLong()) : "?");
    line.append(" waiting, ").append(Text.count(inFlight)).append(" in flight");
    if (rejected > 0) {
      line.append(", ").append(Text.count(rejected)).append(" rejected");
    }
    if (restarts > 0) {
      line.append(", ").append(Text.plural(restarts, "restart"));
    }
    return line.toString();
  }
}

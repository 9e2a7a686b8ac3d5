package dev.flinfer.flink;

import dev.flinfer.schema.Completion;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.HistogramStatistics;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.metrics.DescriptiveStatisticsHistogram;

/**
 * Histograms under the names and in the units of OpenTelemetry's semantic conventions for
 * generative AI, over the last completions. Where the convention distinguishes two series of a
 * metric by an attribute, a group with the attribute's name does so here.
 *
 * @see <a href="https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/">the
 *     conventions</a>
 */
final class GenAiMetrics {
  /** Number of completions in a histogram. */
  private static final int WINDOW = 1000;

  private static final String TOKEN_TYPE = "gen_ai.token.type";
  private static final String TOKEN_USAGE = "gen_ai.client.token.usage";

  private final Histogram inputTokens;
  private final Histogram outputTokens;
  private final Histogram requestDuration;
  private final Histogram timeToFirstToken;
  private final Histogram timePerOutputToken;

  GenAiMetrics(MetricGroup group) {
    inputTokens = tokens(group, "input");
    outputTokens = tokens(group, "output");
    requestDuration = seconds(group, "gen_ai.server.request.duration");
    timeToFirstToken = seconds(group, "gen_ai.server.time_to_first_token");
    timePerOutputToken = seconds(group, "gen_ai.server.time_per_output_token");
  }

  private static Histogram tokens(MetricGroup group, String type) {
    return group
        .addGroup(TOKEN_TYPE, type)
        .histogram(TOKEN_USAGE, new DescriptiveStatisticsHistogram(WINDOW));
  }

  private static Histogram seconds(MetricGroup group, String name) {
    return group.histogram(name, new Seconds(new DescriptiveStatisticsHistogram(WINDOW)));
  }

  void completed(Completion completion) {
    int tokens = completion.getCompletionTokens();
    inputTokens.update(completion.getPromptTokens());
    outputTokens.update(tokens);
    requestDuration.update(micros(completion.getLatencyMs()));
    if (tokens > 0) {
      timeToFirstToken.update(micros(completion.getTimeToFirstTokenMs()));
    }
    if (tokens > 1) { // the first token has its own metric
      double decoding = completion.getLatencyMs() - completion.getTimeToFirstTokenMs();
      timePerOutputToken.update(micros(decoding / (tokens - 1)));
    }
  }

  private static long micros(double millis) {
    return Math.max(0, Math.round(millis * 1000));
  }

  /** Is updated in microseconds, since Flink's histograms hold integers, and reports seconds. */
  private record Seconds(Histogram micros) implements Histogram {
    @Override
    public void update(long value) {
      micros.update(value);
    }

    @Override
    public long getCount() {
      return micros.getCount();
    }

    @Override
    public HistogramStatistics getStatistics() {
      return new SecondsStatistics(micros.getStatistics());
    }
  }

  /**
   * Quantiles, mean and deviation are exact; values for which Flink requires integers are rounded.
   */
  private static final class SecondsStatistics extends HistogramStatistics {
    private static final double MICROS = 1e6;

    private final HistogramStatistics micros;

    SecondsStatistics(HistogramStatistics micros) {
      this.micros = micros;
    }

    @Override
    public double getQuantile(double quantile) {
      return micros.getQuantile(quantile) / MICROS;
    }

    @Override
    public long[] getValues() {
      long[] values = micros.getValues();
      for (int i = 0; i < values.length; i++) {
        values[i] = Math.round(values[i] / MICROS);
      }
      return values;
    }

    @Override
    public int size() {
      return micros.size();
    }

    @Override
    public double getMean() {
      return micros.getMean() / MICROS;
    }

    @Override
    public double getStdDev() {
      return micros.getStdDev() / MICROS;
    }

    @Override
    public long getMax() {
      return Math.round(micros.getMax() / MICROS);
    }

    @Override
    public long getMin() {
      return Math.round(micros.getMin() / MICROS);
    }
  }
}

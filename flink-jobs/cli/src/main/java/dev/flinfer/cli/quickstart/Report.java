package dev.flinfer.cli.quickstart;

import dev.flinfer.cli.Prompts.Prompt;
import dev.flinfer.cli.Text;
import dev.flinfer.cli.quickstart.Figures.Accuracy;
import dev.flinfer.cli.quickstart.Figures.Quantiles;
import dev.flinfer.schema.Completion;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;

/** The report that the quickstart prints at its end, at most 80 columns wide. Pure. */
final class Report {
  private static final int WIDTH = 80;
  private static final String INDENT = "  ";
  private static final String ROW = INDENT + "%-22s%s";
  private static final String QUANTILES_ROW = INDENT + "%-22s%10s%10s%10s";
  private static final String QUOTED_ROW = INDENT + INDENT + "%-12s";
  private static final String TOPIC_ROW = INDENT + "%-22s%10s records";

  private Report() {}

  /**
   * @param seconds from the first prompt written to the last outcome read
   */
  static List<String> table(Tally tally, Collection<Prompt> prompts, double seconds) {
    Collection<Completion> completions = tally.completions().values();
    List<String> lines = new ArrayList<>();
    lines.add(
        ROW.formatted(
            "requests",
            "%s: %s, %s"
                .formatted(
                    Text.count(prompts.size()),
                    Text.plural(tally.completionRecords(), "completion"),
                    Text.plural(tally.rejectionRecords(), "rejection"))));
    lines.add(
        ROW.formatted(
            "tokens",
            "%s generated, %s in prompts (%s from the prefix cache)"
                .formatted(
                    sum(completions, Completion::getCompletionTokens),
                    sum(completions, Completion::getPromptTokens),
                    sum(completions, Completion::getCachedTokens))));
    tally.throughput().stream()
        .findFirst()
        .ifPresent(record -> lines.add(ROW.formatted("device", record.getDevice())));
    lines.add(ROW.formatted("time, Kafka to Kafka", Text.figure(seconds) + " s"));
    lines.add(
        ROW.formatted(
            "tokens/s", Text.figure(Figures.tokensPerSecond(tally.throughput())) + " generated"));
    lines.add(
        ROW.formatted("mean batch size", Text.figure(Figures.meanBatchSize(tally.throughput()))));
    lines.add("");
    lines.add(QUANTILES_ROW.formatted("", "p50", "p95", "p99"));
    lines.add(quantiles("latency", Quantiles.of(completions, Completion::getLatencyMs)));
    lines.add(
        quantiles(
            "time to first token", Quantiles.of(completions, Completion::getTimeToFirstTokenMs)));
    Accuracy accuracy = Figures.accuracy(prompts, tally.completions());
    if (accuracy.of() > 0) {
      lines.add("");
      lines.add(accuracy.line());
    }
    return lines;
  }

  private static String quantiles(String name, Quantiles quantiles) {
    return QUANTILES_ROW.formatted(
        name,
        Text.figure(quantiles.at(0.50)) + " ms",
        Text.figure(quantiles.at(0.95)) + " ms",
        Text.figure(quantiles.at(0.99)) + " ms");
  }

  private static String sum(Collection<Completion> completions, ToLongFunction<Completion> value) {
    return Text.count(completions.stream().mapToLong(value).sum());
  }

  /** Formats prompts with their completions. */
  static List<String> examples(List<Prompt> prompts, Map<String, Completion> completions) {
    List<String> lines = new ArrayList<>();
    for (Prompt prompt : prompts) {
      Completion completion = completions.get(prompt.id());
      if (completion == null) {
        continue;
      }
      lines.add(INDENT + prompt.id());
      addQuoted(lines, "prompt", String.valueOf(prompt.text()));
      addQuoted(lines, "completion", completion.getText());
    }
    return lines;
  }

  private static void addQuoted(List<String> lines, String name, String text) {
    String margin = QUOTED_ROW.formatted(name);
    for (String paragraph : text.strip().lines().toList()) {
      for (String line : Text.wrap(paragraph, WIDTH - margin.length())) {
        lines.add(margin + line);
        margin = " ".repeat(margin.length());
      }
    }
  }

  /** Formats the topics with the number of records in each. */
  static List<String> topics(Map<String, Long> records) {
    List<String> lines = new ArrayList<>();
    records.forEach((topic, count) -> lines.add(TOPIC_ROW.formatted(topic, Text.count(count))));
    return lines;
  }

  /** Explains how to continue with the published weights. */
  static List<String> realWeights() {
    return List.of(
        "This was a demo model with Phi's architecture. With the weights of Phi-2",
        "(microsoft/phi-2: config.json, tokenizer.json, *.safetensors):",
        "",
        "  ./flinfer generate --model /path/to/phi-2 --max-tokens 64 \\",
        "    --prompt $'Instruct: Why is the sky blue?\\nOutput:'",
        "  ./flinfer run --model /path/to/phi-2 --bootstrap-servers HOST:PORT");
  }

  /** Explains how to use what --keep leaves running. */
  static List<String> keep(String servers, String prompts, String completions, String webUrl) {
    return List.of(
        "Broker, job and web UI run until Ctrl-C.",
        INDENT + "Kafka  " + servers,
        INDENT + "Flink  " + webUrl,
        "",
        "Kafka's own console tools write a prompt and read the completions:",
        "",
        "  printf '%s\\n' \\",
        "    '{\"prompt\":\"Ticket: refund!\\nCategory:\",\"max_tokens\":48,\"temperature\":0}' |",
        "    kafka-console-producer.sh --bootstrap-server %s --topic %s"
            .formatted(servers, prompts),
        "  kafka-console-consumer.sh --bootstrap-server %s \\".formatted(servers),
        "    --topic %s --isolation-level read_committed --from-beginning".formatted(completions),
        "",
        "Flinfer's commands do the same:",
        "",
        "  ./flinfer produce FILE --bootstrap-servers " + servers,
        "  ./flinfer consume --from-beginning --bootstrap-servers " + servers);
  }
}

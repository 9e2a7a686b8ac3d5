package dev.flinfer.cli.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.cli.Prompts.Prompt;
import dev.flinfer.cli.Samples;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class ReportTest {
  private static final List<Prompt> PROMPTS =
      List.of(
          new Prompt("t1", "Ticket: I was charged twice.\nCategory:", "billing", "{}"),
          new Prompt("t2", "Ticket: Hello" + ", hello".repeat(20), "product", "{}"));

  private static Tally tally() {
    Tally tally = new Tally(List.of("t1", "t2"));
    tally.completion(Samples.completion("t1", " billing\nReply: We are sorry.", 1234.5));
    tally.completion(Samples.completion("t2", " billing\nReply: Hi.", 10));
    tally.throughput(Samples.window(0, 1000, 10, 2));
    return tally;
  }

  @Test
  void theTableIsAligned() {
    assertThat(Report.table(tally(), PROMPTS, 1.26))
        .containsExactly(
            "  requests              2: 2 completions, 0 rejections",
            "  tokens                10 generated, 40 in prompts (0 from the prefix cache)",
            "  device                cpu",
            "  time, Kafka to Kafka  1.3 s",
            "  tokens/s              10.0 generated",
            "  mean batch size       2.0",
            "",
            "                               p50       p95       p99",
            "  latency                  10.0 ms  1,235 ms  1,235 ms",
            "  time to first token       1.0 ms    123 ms    123 ms",
            "",
            "accuracy 50.0 % (1 of 2)");
  }

  @Test
  void withoutLabelsThereIsNoAccuracy() {
    List<Prompt> unlabelled = List.of(new Prompt("t1", "?", null, "{}"));
    assertThat(Report.table(tally(), unlabelled, 1)).noneMatch(line -> line.contains("accuracy"));
  }

  @Test
  void examplesShowPromptAndCompletionAndFitTheScreen() {
    List<String> lines = Report.examples(PROMPTS, tally().completions());

    assertThat(lines)
        .startsWith(
            "  t1",
            "    prompt      Ticket: I was charged twice.",
            "                Category:",
            "    completion  billing",
            "                Reply: We are sorry.")
        .allMatch(line -> line.length() <= 80);
  }

  @Test
  void everythingFitsEightyColumns() {
    assertThat(Report.realWeights()).allMatch(line -> line.length() <= 80);
    assertThat(Report.keep("127.0.0.1:65535", "prompts", "completions", "http://127.0.0.1:65535"))
        .allMatch(line -> line.length() <= 80)
        .contains(
            "    '{\"prompt\":\"Ticket: refund!\\nCategory:\",\"max_tokens\":48,\"temperature\":0}' |");
  }

  @Test
  void topicsKeepTheirOrder() {
    Map<String, Long> records = new LinkedHashMap<>();
    records.put("prompts", 1000L);
    records.put("completions", 999L);

    assertThat(Report.topics(records))
        .containsExactly(
            "  prompts                    1,000 records",
            "  completions                  999 records");
  }
}

package dev.flinfer.cli.quickstart;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.cli.RecordedConsole;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The command that a newcomer runs first. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
final class QuickstartIT {

  @Test
  void fiftyTicketsComeBackExactlyOnceAndMostlyRight() {
    RecordedConsole recorded = new RecordedConsole();

    int code = recorded.run("quickstart", "--limit", "50", "--parallelism", "2");

    assertThat(code).as(recorded.err()).isZero();
    assertThat(recorded.out())
        .contains("  requests              50: 50 completions, 0 rejections\n")
        .containsPattern("\n  tokens/s +[0-9.,]+ generated\n")
        .containsPattern("\n  device                cpu \\(\\d+ threads, \\d+-bit vectors\\)\n")
        .containsPattern("\n  mean batch size +[0-9.]+\n")
        .containsPattern("\n  latency +[0-9.,]+ ms +[0-9.,]+ ms +[0-9.,]+ ms\n")
        .containsPattern("\naccuracy (9\\d\\.\\d|100\\.0) % \\(\\d+ of 50\\)\n")
        .contains("  ticket-0001\n    prompt      Ticket: ", "\n    completion  ")
        .contains("\n  prompts                       50 records\n")
        .contains("\n  completions                   50 records\n")
        .contains("\n  prompts-dlq                    0 records\n")
        .contains("./flinfer run --model /path/to/phi-2");
    assertThat(recorded.out().lines()).allMatch(line -> line.length() <= 100);
  }
}

package dev.flinfer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class ProgressTest {
  private static final long SECOND = 1_000_000_000L;

  @Test
  void showsCountShareRateAndRemainingTime() {
    Progress progress = new Progress("prompts", 1000, 5 * SECOND);

    assertThat(progress.line(640, 8 * SECOND))
        .isEqualTo("prompts 640 of 1,000 (64 %), 213/s, ETA 2 s");
    assertThat(progress.line(3, 7 * SECOND))
        .isEqualTo("prompts 3 of 1,000 (0 %), 1.5/s, ETA 11 min 5 s");
  }

  @Test
  void withoutATotalThereIsNoShareAndNoTimeLeft() {
    assertThat(new Progress("records", 0, 0).line(1200, SECOND))
        .isEqualTo("records 1,200, 1,200/s");
  }

  @Test
  void atTheStartThereIsNoRateYet() {
    assertThat(new Progress("prompts", 10, 0).line(0, 0)).isEqualTo("prompts 0 of 10 (0 %), 0/s");
  }

  @Test
  void onATerminalOneLineIsShownAtOnceRewrittenAndErased() {
    RecordedConsole recorded = new RecordedConsole();
    try (ProgressPrinter printer = new ProgressPrinter(recorded.console(true), "prompts", 4)) {
      recorded.advanceMillis(100);
      printer.update(1); // too soon
      recorded.advanceMillis(400);
      printer.update(1);
      recorded.advanceMillis(500);
      printer.update(2);
    }

    assertThat(recorded.err())
        .isEqualTo(
            "\rprompts 0 of 4 (0 %), 0/s\033[K"
                + "\rprompts 1 of 4 (25 %), 2.0/s, ETA 2 s\033[K"
                + "\rprompts 2 of 4 (50 %), 2.0/s, ETA 1 s\033[K"
                + "\r\033[K");
  }

  @Test
  void withoutATerminalThereIsALineEveryFiveSeconds() {
    RecordedConsole recorded = new RecordedConsole();
    try (ProgressPrinter printer = new ProgressPrinter(recorded.console(false), "prompts", 40)) {
      for (int done = 1; done <= 12; done++) {
        recorded.advanceMillis(1000);
        printer.update(done);
      }
    }

    assertThat(recorded.err())
        .isEqualTo(
            "prompts 5 of 40 (12 %), 1.0/s, ETA 35 s\nprompts 10 of 40 (25 %), 1.0/s, ETA 30 s\n");
  }
}

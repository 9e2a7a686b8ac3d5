package dev.flinfer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class StallWatchTest {
  private static final long MINUTE = 60_000;

  private final RecordedConsole console = new RecordedConsole();
  private final StallWatch watch = new StallWatch(console.console(false), 3);

  @Test
  void givesUpWhenNothingHasChangedForLongerThanTheLimit() {
    console.advanceMillis(3 * MINUTE);
    assertThat(watch.hasStalled(0)).isFalse();
    console.advanceMillis(1);
    assertThat(watch.hasStalled(0)).isTrue();
    assertThat(console.err().strip())
        .isEqualTo("flinfer: no outcome for 3 minutes; giving up. Log: target/the.log");
  }

  @Test
  void anOutcomeStartsTheTimeAgain() {
    console.advanceMillis(3 * MINUTE + 1);
    assertThat(watch.hasStalled(1)).isFalse();
    console.advanceMillis(3 * MINUTE);
    assertThat(watch.hasStalled(1)).isFalse();
    assertThat(console.err()).isEmpty();
  }
}

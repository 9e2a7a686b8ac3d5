package dev.flinfer.cli.soak;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class QuietTimeTest {
  private static final boolean WORK = true;
  private static final boolean FAULT = true;

  private final QuietTime quiet = new QuietTime(100);

  @Test
  void theTimeBeforeTheFirstProgressIsQuietButNotTheLongest() {
    quiet.at(150, 0, WORK, !FAULT);
    assertThat(quiet.quiet()).isEqualTo(50);
    quiet.at(160, 1, WORK, !FAULT);
    assertThat(quiet.quiet()).isZero();
    assertThat(quiet.longest()).isZero();
  }

  @Test
  void theLongestTimeIsThatBetweenTwoOutcomes() {
    quiet.at(110, 1, WORK, !FAULT);
    quiet.at(130, 1, WORK, !FAULT);
    quiet.at(140, 2, WORK, !FAULT);
    quiet.at(145, 3, WORK, !FAULT);
    assertThat(quiet.longest()).isEqualTo(30);
    assertThat(quiet.longestAfterFaults()).isEqualTo(30);
  }

  @Test
  void aFaultCountsOnlyInTotal() {
    quiet.at(110, 1, WORK, !FAULT);
    quiet.at(115, 1, WORK, !FAULT);
    quiet.at(120, 1, WORK, FAULT);
    quiet.at(160, 1, WORK, FAULT);
    assertThat(quiet.quiet()).isZero();
    quiet.at(167, 2, WORK, !FAULT);
    assertThat(quiet.longest()).isEqualTo(57);
    assertThat(quiet.longestAfterFaults()).isEqualTo(7);
  }

  @Test
  void timeWithoutWorkDoesNotCount() {
    quiet.at(110, 1, WORK, !FAULT);
    quiet.at(111, 1, !WORK, !FAULT);
    quiet.at(200, 1, !WORK, !FAULT);
    quiet.at(290, 1, WORK, !FAULT);
    quiet.at(295, 1, WORK, !FAULT);
    assertThat(quiet.longest()).isEqualTo(5);
    assertThat(quiet.quiet()).isEqualTo(5);
  }
}

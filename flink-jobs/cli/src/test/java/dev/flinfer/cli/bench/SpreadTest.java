package dev.flinfer.cli.bench;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class SpreadTest {
  @Test
  void theMedianOfAnEvenNumberIsTheMeanOfTheMiddleTwo() {
    assertThat(Spread.of(9, 1, 2)).isEqualTo(new Spread(2, 1, 9));
    assertThat(Spread.of(9, 1, 2, 4)).isEqualTo(new Spread(3, 1, 9));
    assertThat(Spread.of(7)).isEqualTo(new Spread(7, 7, 7));
  }

  @Test
  void isPrintedWithItsRange() {
    assertThat(Spread.of(9, 1, 2)).hasToString("2.0 (1.0-9.0)");
  }
}

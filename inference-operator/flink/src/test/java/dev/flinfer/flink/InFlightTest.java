package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.schema.InFlightRequest;
import java.util.List;
import org.junit.jupiter.api.Test;

final class InFlightTest {

  @Test
  void whatIsRestoredAndNotSubmittedYetIsTheSameInTheNextCheckpoint() {
    InFlightRequest state =
        new InFlightRequest(
            TestRecords.record(0, "a:hello:4"), List.of(1, 2), List.of(-1f, -2f), 3);
    assertThat(InFlight.restored(state).state()).isEqualTo(state);
  }
}

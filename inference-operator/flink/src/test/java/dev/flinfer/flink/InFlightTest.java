package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.schema.GeneratedOutput;
import dev.flinfer.schema.InFlightRequest;
import java.util.List;
import org.junit.jupiter.api.Test;

final class InFlightTest {

  @Test
  void aRestoredRequestThatIsNotSubmittedYetIsUnchangedInTheNextCheckpoint() {
    InFlightRequest state =
        InFlightRequest.newBuilder()
            .setRecord(TestRecords.record(0, "a:hello:4"))
            .setTokenIds(List.of(1, 2))
            .setLogprobs(List.of(-1f, -2f))
            .setTopTokenIds(List.of(1, 7, 3, 2))
            .setTopLogprobs(List.of(-1f, -1.5f, -0.5f, -2f))
            .setOtherOutputs(
                List.of(
                    new GeneratedOutput(
                        List.of(4), List.of(-3f), List.of(1, 4), List.of(-1f, -3f))))
            .setAttempts(3)
            .setVersion(2)
            .setEventTime(17L)
            .setModelDigest("00ff")
            .build();
    assertThat(InFlight.restored(state).state()).isEqualTo(state);
  }
}

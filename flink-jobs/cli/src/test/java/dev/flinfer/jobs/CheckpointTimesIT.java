package dev.flinfer.jobs;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.cli.local.EmbeddedKafka;
import dev.flinfer.cli.local.LocalCluster;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

final class CheckpointTimesIT {

  /** A completion takes half a minute, so the engine stays full during the test. */
  @Test
  void aCheckpointDoesNotWaitForTheDevice() throws Exception {
    try (EmbeddedKafka kafka = EmbeddedKafka.start();
        LocalCluster cluster = LocalCluster.start(TestTopics.PARTITIONS)) {
      List<Long> millis = CheckpointTimes.measure(kafka, cluster, Duration.ofSeconds(1), 30, 5);
      assertThat(millis).hasSizeGreaterThanOrEqualTo(5).allMatch(time -> time < 2000);
    }
  }
}

package dev.flinfer.jobs;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.Test;

final class ConsumerGroupTest {
  @Test
  void anAddressThatIsNoneIsNamed() {
    Configuration config =
        Configuration.fromMap(Map.of(KafkaOptions.BOOTSTRAP_SERVERS.key(), "nowhere.invalid:9092"));

    assertThatThrownBy(() -> ConsumerGroup.read(config))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("No Kafka client can be created for nowhere.invalid:9092 with");
  }
}

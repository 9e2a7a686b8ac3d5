package dev.flinfer.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.EngineOption;
import dev.flinfer.flink.FlinferOptions;
import dev.flinfer.jobs.KafkaOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SettingsTest {

  @Test
  void aFileHasAnOptionALine(@TempDir Path dir) throws IOException {
    Path file = dir.resolve("job.yaml");
    Files.writeString(
        file, "# a job\nflinfer.max-num-seqs: 8\nflinfer.kafka.properties.client.id=me\n");

    Configuration config = Settings.ofFile(file);

    assertThat(config.get(FlinferOptions.of(EngineOption.MAX_NUM_SEQS))).isEqualTo(8);
    assertThat(config.get(KafkaOptions.PROPERTIES)).isEqualTo(Map.of("client.id", "me"));
  }
}

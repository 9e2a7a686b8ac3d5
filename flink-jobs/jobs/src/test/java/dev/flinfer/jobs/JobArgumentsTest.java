package dev.flinfer.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class JobArgumentsTest {

  @Test
  void laterOptionsWin(@TempDir Path dir) throws Exception {
    Path file =
        Files.writeString(dir.resolve("job.yaml"), "flinfer.model: /a\nflinfer.bounded: true");
    assertThat(
            JobArguments.parse(
                    "--config",
                    file.toString(),
                    "--flinfer.model",
                    "/b",
                    "-Dflinfer.kafka.properties.a=b=c")
                .toMap())
        .isEqualTo(
            Map.of(
                "flinfer.model", "/b",
                "flinfer.bounded", "true",
                "flinfer.kafka.properties.a", "b=c"));
  }

  @Test
  void refusesAnUnknownOption() {
    assertThatThrownBy(() -> JobArguments.parse("--flinfer.model"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith(
            "--flinfer.model is not an option with a value. Options are given as --key value");
    assertThatThrownBy(() -> JobArguments.parse("/models/phi-2"))
        .hasMessageStartingWith("/models/phi-2 is not an option with a value.");
  }

  @Test
  void namesAFileThatCannotBeRead(@TempDir Path dir) {
    Path missing = dir.resolve("job.yaml");
    assertThatThrownBy(() -> JobArguments.parse("--config", missing.toString()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "--config %s cannot be read: java.nio.file.NoSuchFileException: %s", missing, missing);
  }
}

package dev.flinfer.cli.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.cli.RecordedConsole;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Without a broker; {@link KafkaCommandsIT} looks for a missing topic. */
final class TopicLookupTest {
  @TempDir private Path dir;
  private final RecordedConsole recorded = new RecordedConsole();

  private int run(String command, String servers) throws IOException {
    Path config = dir.resolve("client.properties");
    Files.writeString(config, "default.api.timeout.ms=300\n");
    List<String> arguments = new ArrayList<>(List.of(command));
    if (command.equals("produce")) {
      arguments.add(Files.writeString(dir.resolve("prompts"), "x\n").toString());
    }
    arguments.addAll(List.of("--bootstrap-servers", servers));
    arguments.addAll(List.of("--command-config", config.toString()));
    return recorded.run(arguments.toArray(String[]::new));
  }

  @ParameterizedTest
  @ValueSource(strings = {"produce", "consume"})
  void aMissingBrokerIsNotAMissingTopic(String command) throws IOException {
    assertThat(run(command, "127.0.0.1:1")).isEqualTo(1);
    assertThat(recorded.err())
        .isEqualTo(
            "flinfer: no Kafka broker answers at 127.0.0.1:1; is it running, and is the address"
                + " right?\n");
  }

  @Test
  void anAddressWithoutAPortIsWrongUse() throws IOException {
    assertThat(run("consume", "127.0.0.1")).isEqualTo(2);
    assertThat(recorded.err())
        .isEqualTo(
            "flinfer: --bootstrap-servers is 127.0.0.1: Invalid url in bootstrap.servers: 127.0.0.1\n");
  }

  @Test
  void aNameThatIsNotKnownIsAFailure() throws IOException {
    assertThat(run("produce", "nowhere.invalid:9092")).isEqualTo(1);
    assertThat(recorded.err())
        .isEqualTo(
            "flinfer: --bootstrap-servers is nowhere.invalid:9092: No resolvable bootstrap urls given"
                + " in bootstrap.servers\n");
  }
}

package dev.flinfer.cli.kafka;

import dev.flinfer.cli.UserError;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import picocli.CommandLine.Option;

/** Where Kafka is, as it is on every command that talks to it. */
public final class KafkaArguments {
  /** How long a broker that does not answer is waited for. */
  static final int TIMEOUT_MS = 15_000;

  @Option(
      names = "--bootstrap-servers",
      paramLabel = "HOST:PORT",
      required = true,
      description = "Kafka brokers, separated by commas.")
  private String bootstrapServers;

  @Option(
      names = "--command-config",
      paramLabel = "FILE",
      description = "Properties for the Kafka client, such as its security.")
  private Path commandConfig;

  /** A broker that nothing but its address is needed for. */
  public static KafkaArguments of(String bootstrapServers) {
    KafkaArguments arguments = new KafkaArguments();
    arguments.bootstrapServers = bootstrapServers;
    return arguments;
  }

  public String bootstrapServers() {
    return bootstrapServers;
  }

  /** The client's properties: those of the file, and the servers. */
  Properties properties() throws IOException {
    Properties properties = new Properties();
    if (commandConfig != null) {
      try (Reader in = Files.newBufferedReader(commandConfig)) {
        properties.load(in);
      }
    }
    properties.setProperty("bootstrap.servers", bootstrapServers);
    properties.putIfAbsent("default.api.timeout.ms", Integer.toString(TIMEOUT_MS));
    return properties;
  }

  /** What to say where a call ran into the time limit. */
  UserError unreachable(Throwable cause) {
    return new UserError(
        "no Kafka broker answered at %s within %d s; is it running, and is the address right?"
            .formatted(bootstrapServers, TIMEOUT_MS / 1000),
        cause);
  }
}

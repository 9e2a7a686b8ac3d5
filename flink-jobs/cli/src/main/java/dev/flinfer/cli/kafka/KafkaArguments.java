package dev.flinfer.cli.kafka;

import dev.flinfer.cli.Settings;
import dev.flinfer.cli.UserError;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import picocli.CommandLine.Option;

/** The Kafka options of every command that connects to a broker. */
public final class KafkaArguments {
  /** How long to wait for a broker that has answered before. */
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
      description = "File of Kafka client properties, such as security settings.")
  private Path commandConfig;

  private final Map<String, String> more = new HashMap<>();

  /** Arguments for a broker that needs only its address. */
  public static KafkaArguments of(String bootstrapServers) {
    return of(bootstrapServers, Map.of());
  }

  /** Arguments with properties of the clients. */
  public static KafkaArguments of(String bootstrapServers, Map<String, String> properties) {
    KafkaArguments arguments = new KafkaArguments();
    arguments.bootstrapServers = bootstrapServers;
    arguments.more.putAll(properties);
    return arguments;
  }

  public String bootstrapServers() {
    return bootstrapServers;
  }

  /** Returns the client's properties: those of the file, and the servers. */
  Properties properties() throws IOException {
    return properties(TIMEOUT_MS);
  }

  /** Like {@link #properties()}, with a time limit unless the file has another. */
  Properties properties(int timeoutMs) throws IOException {
    Properties properties = new Properties();
    if (commandConfig != null) {
      properties.putAll(Settings.properties(commandConfig));
    }
    properties.putAll(more);
    properties.setProperty("bootstrap.servers", bootstrapServers);
    properties.putIfAbsent("default.api.timeout.ms", Integer.toString(timeoutMs));
    return properties;
  }

  /** Returns the error for a call that exceeded its time limit. */
  UserError unreachable(Throwable cause) {
    return new UserError(
        "no Kafka broker answers at %s; is it running, and is the address right?"
            .formatted(bootstrapServers),
        cause);
  }
}

package dev.flinfer.cli.local;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import kafka.tools.StorageTool;
import org.apache.kafka.common.Uuid;

/**
 * The directory of an {@link EmbeddedKafka}: its configuration, which also keeps its ports, and its
 * log.
 */
final class BrokerDirectory {
  static final String LOOPBACK = "127.0.0.1";

  private final Path directory;
  private final Path serverProperties;
  private final Path log;

  BrokerDirectory(Path directory) {
    this.directory = directory;
    serverProperties = directory.resolve("server.properties");
    log = directory.resolve("log");
  }

  /**
   * Writes the configuration, and formats the log unless an earlier broker did.
   *
   * @param ports the ports of the broker and of the controller
   * @param settings broker settings that override the ones set here
   * @return the configuration
   */
  Properties prepare(int[] ports, Map<String, String> settings) throws IOException {
    Properties properties = configuration(ports[0], ports[1]);
    properties.putAll(settings);
    try (var out = Files.newBufferedWriter(serverProperties)) {
      properties.store(out, null);
    }
    if (!Files.exists(log.resolve("meta.properties"))) {
      format();
    }
    return properties;
  }

  private void format() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    String[] arguments = {
      "format",
      "--ignore-formatted",
      "--cluster-id",
      Uuid.randomUuid().toString(),
      "--config",
      serverProperties.toString()
    };
    int code = StorageTool.execute(arguments, new PrintStream(out, true, StandardCharsets.UTF_8));
    if (code != 0) {
      throw new IllegalStateException(
          "The broker's directory %s cannot be formatted (exit code %d): %s"
              .formatted(directory, code, out.toString(StandardCharsets.UTF_8)));
    }
  }

  /**
   * Returns the ports of the broker and of the controller: those of the last start if they are
   * free, otherwise others.
   */
  int[] freePorts() throws IOException {
    int[] wanted = {0, 0};
    if (Files.exists(serverProperties)) {
      Properties old = new Properties();
      try (var in = Files.newBufferedReader(serverProperties)) {
        old.load(in);
      }
      String[] listeners = old.getProperty("listeners", ":0,:0").split(",", -1);
      for (int i = 0; i < wanted.length; i++) {
        wanted[i] = Integer.parseInt(listeners[i].substring(listeners[i].lastIndexOf(':') + 1));
      }
    }
    try (ServerSocket broker = bind(wanted[0]);
        ServerSocket controller = bind(wanted[1])) {
      return new int[] {broker.getLocalPort(), controller.getLocalPort()};
    }
  }

  private static ServerSocket bind(int port) throws IOException {
    InetAddress loopback = InetAddress.getByName(LOOPBACK);
    try {
      return new ServerSocket(port, 1, loopback);
    } catch (IOException e) {
      return new ServerSocket(0, 1, loopback); // the port is in use
    }
  }

  private Properties configuration(int port, int controllerPort) {
    Properties p = new Properties();
    p.setProperty("process.roles", "broker,controller");
    p.setProperty("node.id", "1");
    p.setProperty("controller.quorum.voters", "1@127.0.0.1:" + controllerPort);
    p.setProperty("controller.listener.names", "CONTROLLER");
    p.setProperty(
        "listeners",
        "PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d".formatted(port, controllerPort));
    p.setProperty("log.dirs", log.toAbsolutePath().toString());
    p.setProperty("auto.create.topics.enable", "false");
    p.setProperty("group.initial.rebalance.delay.ms", "0");
    for (String topic : List.of("offsets.topic", "transaction.state.log")) {
      p.setProperty(topic + ".replication.factor", "1");
      p.setProperty(topic + ".num.partitions", "1"); // the default is 50, each with its files
    }
    p.setProperty("transaction.state.log.min.isr", "1");
    p.setProperty("share.coordinator.state.topic.replication.factor", "1");
    p.setProperty("share.coordinator.state.topic.min.isr", "1");
    p.setProperty("share.coordinator.state.topic.num.partitions", "1");
    // The default of 128 MiB is allocated at start and would be most of the broker's heap.
    p.setProperty("log.cleaner.dedupe.buffer.size", "4194304");
    return p;
  }
}

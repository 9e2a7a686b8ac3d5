package dev.flinfer.cli.local;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.utils.Exit;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.Utils;

/**
 * A real Kafka broker in this process: one node, KRaft, on free ports of the loopback interface,
 * without authentication. For the quickstart and for tests.
 *
 * <pre>{@code
 * try (EmbeddedKafka kafka = EmbeddedKafka.start()) {
 *   kafka.createTopics(2, "prompts", "completions");
 *   new KafkaProducer<>(Map.of("bootstrap.servers", kafka.bootstrapServers(), ...));
 * }
 * }</pre>
 *
 * Topics are not created automatically, and internal topics have one partition and one replica. The
 * broker prints nothing; Kafka logs through SLF4J.
 */
public final class EmbeddedKafka implements AutoCloseable {
  private static final long ADMIN_TIMEOUT_SECONDS = 30;

  private final KafkaRaftServer server;
  private final String bootstrapServers;
  private final Path dataDir;
  private final boolean temporary;
  private boolean closed;

  private EmbeddedKafka(
      KafkaRaftServer server, String bootstrapServers, Path dataDir, boolean temporary) {
    this.server = server;
    this.bootstrapServers = bootstrapServers;
    this.dataDir = dataDir;
    this.temporary = temporary;
  }

  /** Starts an empty broker in a temporary directory, which {@link #close()} deletes. */
  public static EmbeddedKafka start() {
    try {
      return start(Files.createTempDirectory("flinfer-kafka"), true);
    } catch (IOException e) {
      throw new UncheckedIOException("No temporary directory can be created for the broker", e);
    }
  }

  /**
   * Starts a broker on a directory, which is kept. On the directory of an earlier broker it starts
   * with the same topics, records and, if they are free, ports.
   *
   * @throws UncheckedIOException if the directory cannot be written
   * @throws IllegalStateException if it cannot be formatted or the broker does not start
   */
  public static EmbeddedKafka start(Path dataDir) {
    try {
      return start(Files.createDirectories(dataDir), false);
    } catch (IOException e) {
      throw new UncheckedIOException("The broker cannot use its directory " + dataDir, e);
    }
  }

  private static EmbeddedKafka start(Path dataDir, boolean temporary) throws IOException {
    return start(dataDir, temporary, new BrokerDirectory(dataDir).freePorts(), Map.of());
  }

  /** Like {@link #start(Path)}, with settings that override the defaults. */
  public static EmbeddedKafka start(Path dataDir, Map<String, String> settings) throws IOException {
    BrokerDirectory directory = new BrokerDirectory(Files.createDirectories(dataDir));
    return start(dataDir, false, directory.freePorts(), settings);
  }

  /** Like {@link #start(Path, Map)}, on ports that do not change when it starts again. */
  public static EmbeddedKafka start(
      Path dataDir, int port, int controllerPort, Map<String, String> settings) throws IOException {
    int[] ports = {port, controllerPort};
    return start(Files.createDirectories(dataDir), false, ports, settings);
  }

  static EmbeddedKafka start(
      Path dataDir, boolean temporary, int[] ports, Map<String, String> settings)
      throws IOException {
    keepProcessAlive();
    Properties properties = new BrokerDirectory(dataDir).prepare(ports, settings);
    KafkaRaftServer server = new KafkaRaftServer(new KafkaConfig(properties, false), Time.SYSTEM);
    EmbeddedKafka kafka =
        new EmbeddedKafka(server, BrokerDirectory.LOOPBACK + ":" + ports[0], dataDir, temporary);
    boolean started = false;
    try {
      server.startup();
      started = true;
    } finally {
      if (!started) {
        kafka.close();
      }
    }
    return kafka;
  }

  /** Kafka exits the process on a fatal error; in this shared process it throws instead. */
  private static void keepProcessAlive() {
    Exit.Procedure fail =
        (code, message) -> {
          throw new IllegalStateException(
              "The broker in this process failed"
                  + (message == null ? "; the log gives the reason" : ": " + message));
        };
    Exit.setExitProcedure(fail);
    Exit.setHaltProcedure(fail);
  }

  /** Returns the broker's address, for {@code flinfer.kafka.bootstrap-servers}. */
  public String bootstrapServers() {
    return bootstrapServers;
  }

  Path dataDir() {
    return dataDir;
  }

  /** Creates a client to manage the broker, which the caller must close. */
  public Admin admin() {
    return Admin.create(
        Map.<String, Object>of(AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrapServers));
  }

  /**
   * Creates the topics that do not exist yet, and returns when clients can use all of them.
   *
   * @param partitions number of partitions of each topic
   */
  public void createTopics(int partitions, String... names) {
    try (Admin admin = admin()) {
      List<NewTopic> topics = new ArrayList<>();
      for (String name : names) {
        topics.add(new NewTopic(name, partitions, (short) 1));
      }
      for (KafkaFuture<Void> created : admin.createTopics(topics).values().values()) {
        get(created, TopicExistsException.class);
      }
      // The controller has the topics; the broker learns of them shortly after.
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(ADMIN_TIMEOUT_SECONDS);
      while (!get(
          admin.describeTopics(List.of(names)).allTopicNames(),
          UnknownTopicOrPartitionException.class)) {
        if (System.nanoTime() > deadline) {
          throw new TimeoutException("the broker does not list them");
        }
        Thread.sleep(10);
      }
      awaitLeaders(admin, List.of(names));
    } catch (ExecutionException | TimeoutException e) {
      throw new IllegalStateException(
          "The topics %s cannot be created: %s".formatted(List.of(names), e.getMessage()), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while creating topics", e);
    }
  }

  /**
   * Waits until the broker leads every partition, which happens shortly after it lists them. In
   * between, a producer's first batch would be refused and its second one accepted; from then on
   * the first is out of order and never accepted.
   */
  private static void awaitLeaders(Admin admin, List<String> names)
      throws ExecutionException, TimeoutException, InterruptedException {
    Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
    admin
        .describeTopics(names)
        .allTopicNames()
        .get(ADMIN_TIMEOUT_SECONDS, TimeUnit.SECONDS)
        .forEach(
            (name, topic) ->
                topic
                    .partitions()
                    .forEach(
                        p ->
                            latest.put(
                                new TopicPartition(name, p.partition()), OffsetSpec.latest())));
    // Only a leader responds; the client retries until one does.
    admin.listOffsets(latest).all().get(ADMIN_TIMEOUT_SECONDS, TimeUnit.SECONDS);
  }

  /** Waits for the result; returns false if it is the given error. */
  private static boolean get(KafkaFuture<?> result, Class<? extends ApiException> error)
      throws ExecutionException, TimeoutException, InterruptedException {
    try {
      result.get(ADMIN_TIMEOUT_SECONDS, TimeUnit.SECONDS);
      return true;
    } catch (ExecutionException e) {
      if (error.isInstance(e.getCause())) {
        return false;
      }
      throw e;
    }
  }

  /** Stops the broker and deletes its directory if that was temporary. */
  @Override
  public synchronized void close() {
    if (closed) {
      return;
    }
    closed = true;
    server.shutdown();
    server.awaitShutdown();
    if (temporary) {
      try {
        Utils.delete(dataDir.toFile());
      } catch (IOException e) {
        throw new UncheckedIOException(
            "The broker's directory %s cannot be deleted".formatted(dataDir), e);
      }
    }
  }
}

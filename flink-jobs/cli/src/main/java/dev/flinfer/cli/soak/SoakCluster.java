package dev.flinfer.cli.soak;

import dev.flinfer.cli.EngineArguments;
import dev.flinfer.flink.FlinferOptions;
import dev.flinfer.jobs.KafkaOptions;
import java.io.IOException;
import java.io.Writer;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.HeartbeatManagerOptions;
import org.apache.flink.configuration.JobManagerOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.TaskManagerOptions;

/**
 * The processes of {@code soak --processes} on the loopback interface, and the connections between
 * them: a broker, and either a {@code run} or a JobManager and TaskManagers.
 */
final class SoakCluster implements AutoCloseable {
  static final String BROKER_PORT = "soak.broker.port";
  static final String CONTROLLER_PORT = "soak.controller.port";

  /** The longest time for which a job waits before it restarts. */
  static final Duration RESTART_DELAY = Duration.ofSeconds(5);

  private static final String LOOPBACK = "127.0.0.1";
  private static final Duration CHECKPOINT_INTERVAL = Duration.ofSeconds(1);
  private static final Duration HEARTBEAT_INTERVAL = Duration.ofSeconds(3);
  private static final Duration HEARTBEAT_TIMEOUT = Duration.ofSeconds(15);
  private static final int TASK_MANAGERS = 2;
  private static final long START_SECONDS = 180;

  /** Ports below those that the system gives to connections, which could take one meanwhile. */
  private static final int FIRST_PORT = 20_000;

  private static final int PORTS = 12_000;

  private final Path directory;
  private final UnaryOperator<String> log;
  private final List<Child> children = new ArrayList<>();
  private final List<Link> links = new ArrayList<>();
  private final int brokerPort;
  private int lastPort;

  private SoakCluster(Path directory, UnaryOperator<String> log) throws IOException {
    this.directory = directory;
    this.log = log;
    lastPort = FIRST_PORT + (int) (ProcessHandle.current().pid() * 16 % PORTS);
    brokerPort = freePort();
  }

  /**
   * Starts the processes; returns when the broker is ready.
   *
   * @param directory for everything that they write
   * @param log file of a process, by its name
   */
  static SoakCluster start(
      Layout layout, Path directory, Path model, EngineArguments engine, UnaryOperator<String> log)
      throws IOException {
    SoakCluster cluster = new SoakCluster(directory, log);
    boolean started = false;
    try {
      Path job = cluster.write("job", cluster.job(cluster.startBroker(), model, engine));
      if (layout == Layout.CLUSTER) {
        cluster.startFlink(job);
      } else {
        cluster.start("run", ChildJvm.withEngine("1g"), "run", job, directory.resolve("state"));
      }
      started = true;
      return cluster;
    } finally {
      if (!started) {
        cluster.close();
      }
    }
  }

  /** The processes in which the job runs. */
  enum Layout {
    RUN,
    CLUSTER
  }

  /** Returns the broker's port for the job, whose connections go through a link. */
  private int startBroker() throws IOException {
    int controller = freePort();
    int jobs = freePort();
    int link = freePort();
    links.add(new Link("broker's connections", link, jobs));
    Map<String, String> settings = new HashMap<>();
    settings.put(BROKER_PORT, Integer.toString(brokerPort));
    settings.put(CONTROLLER_PORT, Integer.toString(controller));
    settings.put(
        "listeners",
        "PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d,JOB://127.0.0.1:%d"
            .formatted(brokerPort, controller, jobs));
    settings.put(
        "advertised.listeners",
        "PLAINTEXT://127.0.0.1:%d,JOB://127.0.0.1:%d".formatted(brokerPort, link));
    settings.put(
        "listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,JOB:PLAINTEXT");
    Path ready = directory.resolve("ready");
    Child broker =
        start(
            "broker",
            ChildJvm.small("384m"),
            "broker",
            directory.resolve("kafka"),
            write("broker", settings),
            ready);
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
    while (!Files.exists(ready)) {
      if (!broker.isAlive() || System.nanoTime() > deadline) {
        throw new IllegalStateException("The broker does not start; its log is " + broker.log());
      }
      pause();
    }
    return link;
  }

  private static void pause() {
    try {
      TimeUnit.MILLISECONDS.sleep(50);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while the broker starts", e);
    }
  }

  private Map<String, String> job(int kafkaPort, Path model, EngineArguments engine) {
    Configuration config = new Configuration();
    config.set(KafkaOptions.BOOTSTRAP_SERVERS, LOOPBACK + ":" + kafkaPort);
    config.set(FlinferOptions.MODEL, model.toAbsolutePath().toString());
    config.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, CHECKPOINT_INTERVAL);
    config.set(
        RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_MAX_BACKOFF, RESTART_DELAY);
    engine.addTo(config);
    return config.toMap();
  }

  /** Starts a JobManager, to which connections go through a link, and TaskManagers. */
  private void startFlink(Path job) throws IOException {
    int port = freePort();
    int link = freePort();
    links.add(new Link("JobManager's connections", link, port));
    Configuration flink = new Configuration();
    flink.set(JobManagerOptions.ADDRESS, LOOPBACK);
    flink.set(JobManagerOptions.BIND_HOST, LOOPBACK);
    flink.set(JobManagerOptions.PORT, link);
    flink.set(JobManagerOptions.RPC_BIND_PORT, port);
    flink.set(RestOptions.ADDRESS, LOOPBACK);
    flink.set(RestOptions.BIND_ADDRESS, LOOPBACK);
    int rest = freePort();
    flink.set(RestOptions.PORT, rest);
    flink.set(RestOptions.BIND_PORT, Integer.toString(rest));
    flink.set(TaskManagerOptions.HOST, LOOPBACK);
    flink.set(TaskManagerOptions.BIND_HOST, LOOPBACK);
    flink.set(TaskManagerOptions.NUM_TASK_SLOTS, SoakProcess.PARALLELISM);
    flink.set(HeartbeatManagerOptions.HEARTBEAT_INTERVAL, HEARTBEAT_INTERVAL);
    flink.set(HeartbeatManagerOptions.HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT);
    flink.setString("execution.target", "remote");
    Path cluster = write("flink", flink.toMap());
    start(
        "JobManager",
        ChildJvm.small("512m"),
        "jobmanager",
        cluster,
        job,
        directory.resolve("state"));
    for (int i = 1; i <= TASK_MANAGERS; i++) {
      start("TaskManager " + i, ChildJvm.withEngine("768m"), "taskmanager", cluster);
    }
  }

  private Child start(String name, List<String> flags, Object... args) throws IOException {
    Path temp = Files.createDirectories(directory.resolve(file(name)).resolve("temp"));
    Child child =
        new Child(name, ChildJvm.command(flags, temp, args), Path.of(log.apply(file(name))));
    children.add(child);
    child.start();
    return child;
  }

  private static String file(String name) {
    return name.toLowerCase(Locale.ROOT).replace(' ', '-');
  }

  private Path write(String name, Map<String, String> settings) throws IOException {
    Path file = directory.resolve(name + ".properties");
    Properties properties = new Properties();
    properties.putAll(settings);
    try (Writer out = Files.newBufferedWriter(file)) {
      properties.store(out, null);
    }
    return file;
  }

  private int freePort() throws IOException {
    for (int tries = 0; tries < PORTS; tries++) {
      lastPort = lastPort + 1 < FIRST_PORT + PORTS ? lastPort + 1 : FIRST_PORT;
      try (ServerSocket socket = new ServerSocket(lastPort, 1, InetAddress.getByName(LOOPBACK))) {
        return socket.getLocalPort();
      } catch (IOException e) {
        // in use; the next one
      }
    }
    throw new IOException(
        "No port from %d to %d is free".formatted(FIRST_PORT, FIRST_PORT + PORTS - 1));
  }

  /** The broker's address for clients that no fault is to reach. */
  String bootstrapServers() {
    return LOOPBACK + ":" + brokerPort;
  }

  /** Returns everything that can be done to the processes and their connections. */
  List<Fault> faults() {
    List<Fault> faults = new ArrayList<>();
    children.forEach(child -> faults.addAll(Fault.of(child)));
    links.forEach(link -> faults.addAll(Fault.of(link)));
    faults.add(Fault.ofDisk(directory));
    return faults;
  }

  /**
   * Starts processes that have ended by themselves again.
   *
   * @param ended receives each process that has ended
   */
  void restartEnded(long now, Consumer<Child> ended) {
    children.stream().filter(child -> child.restartIfEnded(now)).forEach(ended);
  }

  List<Child> children() {
    return children;
  }

  @Override
  public void close() throws IOException {
    children.forEach(Child::close);
    for (Link link : links) {
      link.close();
    }
  }
}

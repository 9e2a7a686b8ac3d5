package dev.flinfer.engine.device;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flinfer.engine.EngineException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Lists the devices of the backends in a separate JVM, with the class path of this JVM and the
 * flags that matter to drivers. A driver that crashes, hangs or fails to initialize (after which a
 * JVM cannot try again) does no harm there.
 */
public final class DeviceProbe {
  /** The prefix of our output lines; drivers print too. */
  static final String MARK = "flinfer-device-probe ";

  /** Drivers for several GPUs take seconds to start. */
  private static final Duration TIMEOUT = Duration.ofSeconds(60);

  /** The line of a JVM's crash report before the one that names the failing library. */
  private static final String CRASHED_IN = "# Problematic frame:";

  private static final ObjectMapper JSON = new ObjectMapper();

  private final List<String> command;
  private final Duration timeout;

  /**
   * The answer of one backend.
   *
   * @param problem why it has no devices; null if it has some
   */
  public record Found(String backend, List<DeviceInfo> devices, String problem) {}

  /**
   * The answers of all backends.
   *
   * @param problem how the probe itself failed; null if it did not
   */
  public record Report(List<Found> backends, String problem) {

    /** The devices of all backends. */
    public List<DeviceInfo> devices() {
      return backends.stream().flatMap(found -> found.devices().stream()).toList();
    }

    /** The reasons for missing devices, one sentence each. */
    public List<String> problems() {
      List<String> problems = new ArrayList<>();
      for (Found found : backends) {
        if (found.problem() != null) {
          problems.add(found.backend() + ": " + found.problem());
        }
      }
      if (problem != null) {
        problems.add(problem);
      }
      return problems;
    }
  }

  DeviceProbe(List<String> command, Duration timeout) {
    this.command = command;
    this.timeout = timeout;
  }

  /** Creates a probe with this process's Java, class path and flags. */
  public static DeviceProbe ofProcess() {
    List<String> command = new ArrayList<>(java());
    command.add("-cp");
    command.add(ManagementFactory.getRuntimeMXBean().getClassPath());
    command.add(DeviceProbeMain.class.getName());
    return new DeviceProbe(command, TIMEOUT);
  }

  /** Java with this process's flags, except those of its heap and its ports. */
  static List<String> java() {
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    for (String flag : ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (flag.startsWith("--")
          || flag.startsWith("-Dtornado.")
          || flag.startsWith("-Djava.library.path=")
          || flag.equals("-XX:+UnlockExperimentalVMOptions")
          || flag.contains("JVMCI")) {
        command.add(flag);
      }
    }
    command.add("-Xmx256m");
    command.add("-XX:-CreateCoredumpOnCrash");
    return command;
  }

  /**
   * Runs the probe; takes as long as a JVM and the drivers need to start. A failure of a driver is
   * reported, not thrown.
   */
  public Report run() {
    try {
      Path output = Files.createTempFile("flinfer-devices", ".log");
      Path crash = Files.createTempFile("flinfer-devices", ".crash");
      try {
        return run(output, crash);
      } finally {
        Files.deleteIfExists(output);
        Files.deleteIfExists(crash);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the devices cannot be probed", e);
    }
  }

  private Report run(Path output, Path crash) throws IOException {
    List<String> line = new ArrayList<>(command);
    line.add(1, "-XX:ErrorFile=" + crash);
    Process process =
        new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(output.toFile()).start();
    boolean ended;
    try {
      process.getOutputStream().close();
      ended = process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new EngineException("interrupted while the devices were probed", e);
    } finally {
      process.destroyForcibly();
    }
    // Drivers print in any encoding; Latin-1 accepts every byte.
    List<String> lines = Files.readAllLines(output, StandardCharsets.ISO_8859_1);
    String problem = null;
    if (!ended) {
      problem =
          "a driver hung: the probe did not end within %d s; its last line: %s"
              .formatted(timeout.toSeconds(), lastLine(lines));
    } else if (process.exitValue() != 0) {
      problem =
          "a driver crashed: the probe ended with exit code %d; its last line: %s"
              .formatted(process.exitValue(), lastLine(lines));
    }
    return new Report(found(lines), problem);
  }

  private static List<Found> found(List<String> lines) throws JsonProcessingException {
    List<Found> found = new ArrayList<>();
    for (String line : lines) {
      int at = line.indexOf(MARK); // a driver may have left a line unfinished
      if (at >= 0) {
        found.add(JSON.readValue(line.substring(at + MARK.length()), Found.class));
      }
    }
    return found;
  }

  private static String lastLine(List<String> lines) {
    String last = "(none)";
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i).strip();
      if (line.startsWith(CRASHED_IN) && i + 1 < lines.size()) {
        return lines.get(i + 1).strip();
      }
      if (!line.isEmpty() && !line.contains(MARK)) {
        last = line;
      }
    }
    return last;
  }
}

package dev.flinfer.engine.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each test starts a real JVM with drivers that fail as real ones do. */
final class DeviceProbeTest {
  private static final DeviceInfo GPU =
      FakeBackend.device("opencl:0", DeviceInfo.Kind.GPU, 1L << 34);

  @TempDir private Path directory;

  private DeviceProbe.Report probe(Class<? extends Backend> backend, Duration timeout)
      throws Exception {
    Path services = Files.createDirectories(directory.resolve("META-INF/services"));
    Files.writeString(services.resolve(Backend.class.getName()), backend.getName());
    List<String> command = new ArrayList<>(DeviceProbe.java());
    command.add("-cp");
    command.add(
        directory
            + System.getProperty("path.separator")
            + ManagementFactory.getRuntimeMXBean().getClassPath());
    command.add(DeviceProbeMain.class.getName());
    return new DeviceProbe(command, timeout).run();
  }

  private DeviceProbe.Report probe(Class<? extends Backend> backend) throws Exception {
    return probe(backend, Duration.ofSeconds(60));
  }

  @Test
  void reportsTheDevicesOfTheBackend() throws Exception {
    DeviceProbe.Report report = probe(Healthy.class);
    assertThat(report.devices()).containsExactly(GPU);
    assertThat(report.problems()).isEmpty();
  }

  @Test
  void aDriverThatDoesNotStartIsAProblemOfItsBackend() throws Exception {
    DeviceProbe.Report report = probe(Broken.class);
    assertThat(report.devices()).isEmpty();
    assertThat(report.problems())
        .containsExactly("test: java.lang.UnsatisfiedLinkError: libOpenCL.so.1 is not there");
  }

  @Test
  void aCrashIsReportedWithTheDriversLastLine() throws Exception {
    DeviceProbe.Report report = probe(Crashing.class);
    assertThat(report.devices()).isEmpty();
    assertThat(report.problems())
        .containsExactly(
            "a driver crashed: the probe ended with exit code 134; its last line: driver: out of"
                + " luck");
  }

  @Test
  void aHangEndsWithTheTimeout() throws Exception {
    DeviceProbe.Report report = probe(Hanging.class, Duration.ofSeconds(3));
    assertThat(report.devices()).isEmpty();
    assertThat(report.problems()).hasSize(1);
    assertThat(report.problems().get(0))
        .startsWith("a driver hung: the probe did not end within 3 s; its last line: ");
  }

  @Test
  void theFlagsOfThisJvmArePassedOnButNotItsHeapSize() {
    assertThat(DeviceProbe.java())
        .contains("--add-modules=jdk.incubator.vector", "-Xmx256m")
        .noneMatch(flag -> flag.equals("-Xmx2g"));
  }

  /** A backend of which the probe calls only {@code devices}. */
  abstract static class Driver extends FakeBackend {
    @Override
    public String name() {
      return "test";
    }

    @Override
    public abstract List<DeviceInfo> devices();
  }

  /** Prints without an end of line, as some drivers do. */
  public static final class Healthy extends Driver {
    @Override
    public List<DeviceInfo> devices() {
      System.out.print("driver: looking for devices ");
      return List.of(GPU);
    }
  }

  public static final class Broken extends Driver {
    @Override
    public List<DeviceInfo> devices() {
      throw new ExceptionInInitializerError(
          new UnsatisfiedLinkError("libOpenCL.so.1 is not there"));
    }
  }

  public static final class Crashing extends Driver {
    @Override
    public List<DeviceInfo> devices() {
      System.err.println("driver: out of luck");
      Runtime.getRuntime().halt(134);
      return List.of();
    }
  }

  public static final class Hanging extends Driver {
    @Override
    public List<DeviceInfo> devices() {
      try {
        new CountDownLatch(1).await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      return List.of();
    }
  }
}

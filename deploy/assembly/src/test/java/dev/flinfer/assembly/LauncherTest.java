package dev.flinfer.assembly;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The launcher in a separate tree, with a fake Maven and JDK that only record their calls. */
@EnabledOnOs({OS.LINUX, OS.MAC})
final class LauncherTest {
  private static final Path LAUNCHER = Path.of("..", "..", "flinfer");

  /** All programs that the launcher uses, except flock. */
  private static final List<String> TOOLS =
      List.of(
          "cat",
          "date",
          "dirname",
          "find",
          "grep",
          "ln",
          "mkdir",
          "ps",
          "readlink",
          "rm",
          "sed",
          "sleep",
          "touch");

  @TempDir private Path directory;
  private Path home;
  private Path tools;

  @BeforeEach
  void makeATree() throws IOException {
    home = Files.createDirectory(directory.resolve("a tree"));
    Files.copy(LAUNCHER, home.resolve("flinfer"));
    Files.writeString(home.resolve("pom.xml"), "");
    for (String module : List.of("schemas", "inference-operator", "flink-jobs")) {
      Files.createDirectories(home.resolve(module).resolve("src/main"));
    }
    executable(
        home.resolve("mvnw"),
        """
        #!/bin/sh
        mkdir building || echo overlap >>builds
        echo build >>builds
        sleep ${BUILD_SECONDS:-0}
        mkdir -p flink-jobs/cli/target
        : >flink-jobs/cli/target/flinfer-cli.jar
        rm -r building
        """);
    Path jdk = Files.createDirectories(directory.resolve("jdk/bin"));
    executable(jdk.resolve("java"), "#!/bin/sh\necho started \"$@\"\n");
    executable(jdk.resolve("javac"), "");
    Files.writeString(jdk.resolveSibling("release"), "JAVA_VERSION=\"25.0.1\"\n");
    tools = Files.createDirectory(directory.resolve("tools"));
    for (String tool : TOOLS) {
      String there = Files.exists(Path.of("/bin", tool)) ? "/bin/" : "/usr/bin/";
      assumeTrue(Files.exists(Path.of(there, tool)), tool + " is not installed");
      executable(tools.resolve(tool), "#!/bin/sh\nexec " + there + tool + " \"$@\"\n");
    }
  }

  private static void executable(Path file, String text) throws IOException {
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private Process start(Path launcher, boolean flock, String... settings) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(launcher.toString(), "a command");
    builder.redirectErrorStream(true).directory(directory.toFile());
    builder.environment().put("JAVA_HOME", directory.resolve("jdk").toString());
    if (!flock) {
      builder.environment().put("PATH", tools.toString());
    }
    for (int i = 0; i < settings.length; i += 2) {
      builder.environment().put(settings[i], settings[i + 1]);
    }
    return builder.start();
  }

  private Process start(boolean flock, String... settings) throws IOException {
    return start(home.resolve("flinfer"), flock, settings);
  }

  private static String output(Process process) throws Exception {
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("ends").isTrue();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertThat(process.exitValue()).as(output).isZero();
    assertThat(output).contains("started @");
    return output;
  }

  private List<String> builds() throws IOException {
    Path builds = home.resolve("builds");
    return Files.exists(builds) ? Files.readAllLines(builds) : List.of();
  }

  private void awaitABuild() throws Exception {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (builds().isEmpty()) {
      assertThat(System.nanoTime()).as("time to begin").isLessThan(deadline);
      Thread.sleep(20);
    }
  }

  @Test
  void buildsOnceAndStartsWhatWasBuilt() throws Exception {
    Path cli = home.resolve("flink-jobs/cli/target");
    assertThat(output(start(true)))
        .contains("flinfer: building, since there is no jar yet; ")
        .endsWith(
            "started @%s/flinfer.args -cp %s/flinfer-cli.jar dev.flinfer.cli.main.Flinfer a command\n"
                .formatted(cli, cli));
    assertThat(output(start(true))).startsWith("started @");
    assertThat(builds()).hasSize(1);
  }

  @Test
  void startsThroughALinkAndFromATreeThatWasMoved() throws Exception {
    output(start(true));
    Path moved = Files.move(home, directory.resolve("moved"));
    Path link = Files.createDirectories(directory.resolve("bin")).resolve("ask");
    Files.createSymbolicLink(link, Path.of("../moved/flinfer"));
    assertThat(output(start(link, true)))
        .startsWith("started @" + moved.toRealPath() + "/flink-jobs/cli/target/flinfer.args");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"schemas/src/main/a.avsc", "flink-jobs/cli/src/jvm/flinfer.args", "pom.xml"})
  void buildsAgainForASourceThatChanged(String name) throws Exception {
    output(start(true));
    Path source = home.resolve(name);
    Files.createDirectories(source.getParent());
    Files.writeString(source, "");
    Files.setLastModifiedTime(source, FileTime.from(Instant.now().plusSeconds(5)));
    assertThat(output(start(true)))
        .contains("flinfer: building, since %s is newer than the jar; ".formatted(name));
    assertThat(builds()).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void oneBuildsAndTheOthersWait(boolean flock) throws Exception {
    List<Process> all = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      all.add(start(flock, "BUILD_SECONDS", "1"));
    }
    for (Process process : all) {
      output(process);
    }
    assertThat(builds()).containsExactly("build");
  }

  /** The remains of a killed build must neither block other builds nor count as built. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aBuilderThatIsKilledIsReplacedByOneOther(boolean flock) throws Exception {
    Process killed = start(flock, "BUILD_SECONDS", "2");
    awaitABuild();
    List<ProcessHandle> maven = flock ? List.of() : killed.descendants().toList();
    killed.destroyForcibly().waitFor();
    maven.forEach(ProcessHandle::destroyForcibly);
    Files.deleteIfExists(flock ? home.resolve("none") : home.resolve("building"));
    List<Process> others = List.of(start(flock), start(flock));
    for (Process other : others) {
      output(other);
    }
    assertThat(builds()).containsExactly("build", "build");
  }

  /** Each process sees a lock whose owner is dead; one of them takes it over. */
  @Test
  void aDeadLockIsTakenOverOnce() throws Exception {
    Process dead = new ProcessBuilder("true").start();
    dead.waitFor();
    Files.createDirectory(home.resolve(".flinfer"));
    Files.createSymbolicLink(home.resolve(".flinfer/lock"), Path.of("" + dead.pid()));
    // The lock of a process that died while it removed the first lock.
    Files.createSymbolicLink(home.resolve(".flinfer/lock." + dead.pid()), Path.of("" + dead.pid()));
    oneBuildsAndTheOthersWait(false);
    assertThat(home.resolve(".flinfer/lock")).doesNotExist();
  }

  @Test
  void anSdkCanBeLeftOutButNotMissing() throws Exception {
    Path tornado = Files.createDirectories(home.resolve("inference-operator/tornado"));
    Files.writeString(tornado.resolve("pom.xml"), "<tornadovm.version>5.2.0</tornadovm.version>");

    assertThat(output(start(true, "TORNADOVM_HOME", "none"))).doesNotContain("tornado");

    Process missing = start(true, "TORNADOVM_HOME", "/no/sdk");
    assertThat(new String(missing.getInputStream().readAllBytes(), UTF_8))
        .isEqualTo(
            "flinfer: TORNADOVM_HOME is /no/sdk, which is not a directory. Set it to a TornadoVM SDK"
                + " 5.2.0, or to none.\n");
    assertThat(missing.waitFor()).isEqualTo(1);
  }

  @Test
  void aBuildThatFailsGivesTheReason() throws Exception {
    Files.writeString(home.resolve("mvnw"), "#!/bin/sh\necho no network\nexit 1\n");
    Process failed = start(true);
    String output = new String(failed.getInputStream().readAllBytes(), UTF_8);
    assertThat(failed.waitFor()).isEqualTo(1);
    assertThat(output)
        .contains("no network\n", "flinfer: the build failed; its output is above and in ")
        .doesNotContain("started");
    assertThat(Files.readString(home.resolve(".flinfer/build.log"))).isEqualTo("no network\n");
    Files.writeString(home.resolve("mvnw"), "#!/bin/sh\n", StandardOpenOption.TRUNCATE_EXISTING);
    Process nothing = start(true);
    assertThat(new String(nothing.getInputStream().readAllBytes(), UTF_8))
        .contains("flinfer: the build did not create " + home.toRealPath());
    assertThat(nothing.waitFor()).isEqualTo(1);
  }
}

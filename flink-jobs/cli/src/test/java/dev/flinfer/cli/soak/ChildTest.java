package dev.flinfer.cli.soak;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class ChildTest {
  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  /** Ends when its standard input does, as the processes of the soak. */
  private static final List<String> WAITS = List.of("sh", "-c", "read line");

  private static final List<String> FAILS = List.of("sh", "-c", "exit 3");

  @TempDir private Path directory;

  private Child start(List<String> command) {
    Child child = new Child("child", command, directory.resolve("log"));
    child.start();
    return child;
  }

  @Test
  void oneThatEndedByItselfIsCountedAndStartedAgainAfterASecond() throws Exception {
    try (Child child = start(FAILS)) {
      ProcessHandle.of(child.pid()).ifPresent(handle -> handle.onExit().join());
      long first = child.pid();
      assertThat(child.restartIfEnded(0)).isTrue();
      assertThat(child.exitCode()).isEqualTo(3);
      assertThat(child.restartIfEnded(SECOND - 1)).isFalse();
      assertThat(child.pid()).isEqualTo(first);
      assertThat(child.restartIfEnded(SECOND)).isFalse();
      assertThat(child.pid()).isNotEqualTo(first);
      assertThat(child.ends()).isEqualTo(1);
    }
  }

  @Test
  void oneThatIsKilledStaysDownUntilItIsReleased() {
    try (Child child = start(WAITS)) {
      assertThat(child.restartIfEnded(0)).isFalse();
      child.kill();
      assertThat(child.restartIfEnded(0)).isFalse();
      assertThat(child.isAlive()).isFalse();
      child.release();
      assertThat(child.isAlive()).isTrue();
      assertThat(child.ends()).isZero();
    }
  }

  @Test
  void noProcessIsLeft() {
    Child child = start(WAITS);
    ProcessHandle process = ProcessHandle.of(child.pid()).orElseThrow();
    try (Signals freeze = Signals.freeze(child.pid())) {
      child.close();
      assertThat(process.isAlive()).isFalse();
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aFrozenProcessContinues() throws IOException {
    try (Child child = start(WAITS)) {
      try (Signals freeze = Signals.freeze(child.pid())) {
        awaitState(child.pid(), 'T');
      }
      awaitState(child.pid(), 'S');
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aFullDiskRefusesWhatMakesAFileLonger() throws IOException {
    Path file = directory.resolve("file");
    List<String> writes =
        List.of(
            "sh",
            "-c",
            "trap '' XFSZ; while echo 1 >> %s; do sleep 0.1; done; exit 3".formatted(file));
    try (Child child = start(writes);
        Signals full = Signals.fillDisk(child.pid())) {
      ProcessHandle.of(child.pid()).ifPresent(handle -> handle.onExit().join());
      assertThat(child.exitCode()).isEqualTo(3);
    }
  }

  private static void awaitState(long pid, char state) throws IOException {
    Path stat = Path.of("/proc", Long.toString(pid), "stat");
    while (Files.readString(stat).split(" ", -1)[2].charAt(0) != state) {
      Thread.onSpinWait();
    }
  }
}

package dev.flinfer.flink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.EngineException;
import dev.flinfer.schema.Rejection;
import dev.flinfer.schema.RejectionStage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Records and patterns that end the process or the task while they are admitted. */
@Timeout(120)
final class PoisonPillTest {
  @TempDir Path directory;

  /** A process that admits the given records until one of them halts it. */
  static final class Main {
    public static void main(String[] arguments) throws Exception {
      try (OperatorHarness harness = OperatorHarness.journaled(Path.of(arguments[0]))) {
        for (int i = 1; i < arguments.length; i++) {
          harness.process(i, arguments[i]);
        }
        harness.engine.awaitCompiled();
        for (Rejection rejection : harness.rejections()) {
          System.out.println(rejection.getStage() + " " + rejection.getErrorMessage());
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"#halt", "b:compile #halt:1"})
  void aRecordThatEndsTheProcessThreeTimesIsRejected(String record) throws Exception {
    Path log = directory.resolve("log");
    Path journal = directory.resolve("journal");
    for (int i = 0; i < 3; i++) {
      assertThat(run(log, journal, "a:hello:1", record)).isEqualTo(137);
    }

    assertThat(run(log, journal, "a:hello:1", record)).as(Files.readString(log)).isZero();

    assertThat(Files.readString(log))
        .contains(
            record.startsWith("#")
                ? "DESERIALIZE The process ended 3 times during the admission of prompts-7@2 ("
                : "VALIDATE The process ended 3 times during the compilation of structured_outputs");
  }

  private static int run(Path log, Path journal, String... records) throws Exception {
    List<String> command =
        Stream.concat(
                Stream.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-XX:TieredStopAtLevel=1",
                    "-cp",
                    System.getProperty("java.class.path"),
                    Main.class.getName(),
                    journal.toString()),
                Stream.of(records))
            .toList();
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    assertThat(process.waitFor(100, TimeUnit.SECONDS)).isTrue();
    return process.exitValue();
  }

  /** The entries of another process, which has ended: it holds no lock. */
  private void leave(String... texts) throws IOException {
    Path file = directory.resolve("1-1-1.slots");
    SlotFile slots = SlotFile.create(file);
    for (String text : texts) {
      assertThat(slots.write(text)).isNotNegative();
    }
    byte[] left = Files.readAllBytes(file); // a lock of this process would not be another's
    Files.delete(file);
    Files.write(directory.resolve("1-1-2.slots"), left);
  }

  private static String name(long offset, String value) throws Exception {
    try (OperatorHarness harness = OperatorHarness.opened(1)) {
      String job = harness.flink.getOperator().getRuntimeContext().getJobInfo().getJobName();
      return new PoisonPills(AdmissionJournal.NONE, 3, job)
          .admission(TestRecords.record(offset, value));
    }
  }

  @Test
  void aSuccessForgetsTheAttempts() throws Exception {
    String name = name(0, "a:hello:1");
    leave(name);
    leave(name);
    assertThat(open().attempts(name)).isEqualTo(1); // of two files of one name the last
    leave(name);
    try (OperatorHarness harness = OperatorHarness.journaled(directory)) {
      assertThat(AdmissionJournal.in(directory).attempts(name)).isEqualTo(2);
      harness.process(0, "a:hello:1");
      assertThat(harness.engine.submitted()).containsExactly("a");
    }
    assertThat(AdmissionJournal.in(directory).attempts(name)).isZero();
    assertThat(attemptFiles()).isEmpty();
  }

  @Test
  void aRefusalIsForgottenWhenItIsInACompleteCheckpoint() throws Exception {
    String name = name(0, "a:hello:1");
    for (int i = 0; i < 3; i++) {
      leave(name);
      open();
    }
    try (OperatorHarness harness = OperatorHarness.journaled(directory)) {
      harness.process(0, "a:hello:1");
      harness.process(1, "a:hello:1"); // another record with the same value

      Rejection rejection = harness.rejections().get(0);
      assertThat(harness.rejections()).hasSize(1);
      assertThat(rejection.getStage()).isEqualTo(RejectionStage.DESERIALIZE);
      assertThat(rejection.getErrorClass()).isEqualTo("dev.flinfer.engine.RequestFailedException");
      assertThat(rejection.getAttempts()).isEqualTo(3);
      assertThat(rejection.getId()).isNull();
      assertThat(rejection.getErrorMessage())
          .startsWith("The process ended 3 times during the " + name + ", which is not tried again")
          .contains("delete " + AttemptFiles.hash(name) + ".* in " + directory);

      harness.checkpoint(7);
      assertThat(attemptFiles()).hasSize(3);
      harness.flink.notifyOfCompletedCheckpoint(6);
      assertThat(attemptFiles()).hasSize(3);
      harness.flink.notifyOfCompletedCheckpoint(7);
      assertThat(attemptFiles()).isEmpty();
    }
  }

  @Test
  void severalEntriesAreSuspectsAndCountForNone() throws Exception {
    String first = name(0, "a:hello:1");
    String second = name(1, "b:hello:1");
    for (int i = 0; i < 5; i++) {
      leave(first, second);
      open();
    }
    assertThat(open().attempts(first)).isZero();

    AdmissionJournal journal = open();
    AdmissionJournal.Entry other = journal.begin("something else");
    Thread suspect = new Thread(() -> journal.begin(second).succeeded());
    suspect.start();
    while (suspect.getState() != Thread.State.WAITING) {
      Thread.onSpinWait(); // until it waits for what may be the cause as well
    }
    other.succeeded();
    suspect.join();
    assertThat(attemptFiles()).hasSize(1);
  }

  @Test
  void anErrorThatFailsTheTaskCountsLikeTheEndOfTheProcess() throws Exception {
    for (int i = 0; i < 3; i++) {
      try (OperatorHarness harness = OperatorHarness.journaled(directory)) {
        assertThatThrownBy(() -> harness.process(0, "#class"))
            .isInstanceOf(NoClassDefFoundError.class);
      }
    }
    try (OperatorHarness harness = OperatorHarness.journaled(directory)) {
      harness.process(0, "#class");
      assertThat(harness.rejections()).hasSize(1);
    }
  }

  @Test
  void anErrorWhileAPatternIsCompiledCountsForThePattern() throws Exception {
    for (int i = 0; i < 3; i++) {
      try (OperatorHarness harness = OperatorHarness.journaled(directory)) {
        harness.process(0, "a:compile #class:1");
        harness.engine.awaitCompiled();
        assertThatThrownBy(harness::runMails).isInstanceOf(EngineException.class);
      }
    }
    try (OperatorHarness harness = OperatorHarness.journaled(directory)) {
      harness.process(9, "z:compile #class:1"); // another record with the same pattern
      harness.process(10, "y:compile nothing:1");
      harness.engine.awaitCompiled();
      Rejection rejection = harness.rejections().get(0);
      assertThat(rejection.getStage()).isEqualTo(RejectionStage.VALIDATE);
      assertThat(rejection.getId()).isEqualTo("z");
      assertThat(rejection.getErrorMessage())
          .startsWith("The process ended 3 times during the compilation of structured_outputs ")
          .contains("Use a simpler pattern");
      assertThat(harness.engine.submitted()).containsExactly("y");
    }
  }

  @Test
  void aFailedEngineCountsForNothing() throws Exception {
    try (OperatorHarness harness = OperatorHarness.journaled(directory)) {
      harness.engine.die(new EngineException("out of memory"));
      assertThatThrownBy(() -> harness.process(0, "a:hello:1")).isInstanceOf(EngineException.class);
    }
    open();
    assertThat(attemptFiles()).isEmpty();
  }

  @Test
  void onlyTheUserMayReadTheFiles() throws Exception {
    Path journal = directory.resolve("new");
    AdmissionJournal.in(journal).begin("text");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(journal)))
        .isEqualTo("rwx------");
    try (Stream<Path> files = Files.list(journal)) {
      assertThat(files.filter(file -> file.toString().endsWith(".slots")))
          .singleElement()
          .satisfies(
              file ->
                  assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                      .isEqualTo("rw-------"));
    }
  }

  @Test
  void aDirectoryThatCannotBeUsedFailsNothing() throws Exception {
    Path file = Files.createFile(directory.resolve("a-file"));
    try (OperatorHarness harness = OperatorHarness.journaled(file)) {
      harness.process(0, "a:hello:1");
      harness.process(1, "#overflow");
      harness.finish("a");
      harness.assertOutput("a");
      assertThat(harness.rejections()).hasSize(1);
    }
  }

  private AdmissionJournal open() {
    return AdmissionJournal.in(directory);
  }

  private List<Path> attemptFiles() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.filter(f -> f.getFileName().toString().matches("[0-9a-f]{32}\\.\\d+")).toList();
    }
  }
}

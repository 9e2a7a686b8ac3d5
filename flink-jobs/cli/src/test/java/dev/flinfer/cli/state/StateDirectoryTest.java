package dev.flinfer.cli.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.cli.UserError;
import dev.flinfer.jobs.ConsumerGroup;
import dev.flinfer.jobs.KafkaOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StateDirectoryTest {
  @TempDir private Path temp;
  private final Configuration job = new Configuration();
  private String cluster = "k1";
  private Map<Integer, Long> committed = Map.of();

  private StateDirectory open() {
    return StateDirectory.open(
        temp.resolve("a state"), config -> new ConsumerGroup(cluster, committed));
  }

  /** Runs a job that does nothing, and returns what it continued from, null for nothing. */
  private Path continuesFrom() throws Exception {
    try (StateDirectory state = open()) {
      String path = state.begin(job).get(StateRecoveryOptions.SAVEPOINT_PATH);
      return path == null ? null : Path.of(path.substring("file://".length()));
    }
  }

  /** Runs a job that leaves a checkpoint, which commits the same offset. */
  private Path leavesCheckpoint(long id, long offset) throws Exception {
    try (StateDirectory state = open()) {
      String root = state.begin(job).get(CheckpointingOptions.CHECKPOINTS_DIRECTORY);
      committed = Map.of(0, offset);
      return States.write(
          Path.of(root.substring("file://".length())).resolve("job").resolve("chk-" + id),
          id,
          committed);
    }
  }

  private void isRefused(String... parts) {
    assertThatThrownBy(this::continuesFrom)
        .isInstanceOf(UserError.class)
        .hasMessageContainingAll(parts);
  }

  @Test
  void aNewDirectoryHasNothingToContinueFrom() throws Exception {
    assertThat(continuesFrom()).isNull();
  }

  @Test
  void continuesFromTheHighestNumberWhateverTheFileTimes() throws Exception {
    Path nine = leavesCheckpoint(9, 1);
    Path ten = States.write(nine.resolveSibling("chk-10"), 10, committed);
    Files.setLastModifiedTime(ten.resolve("_metadata"), FileTime.fromMillis(0));

    assertThat(continuesFrom()).isEqualTo(ten);
  }

  @Test
  void aSavepointCountsAmongTheCheckpoints() throws Exception {
    Path checkpoint = leavesCheckpoint(9, 1);
    Path run = checkpoint.getParent().getParent().getParent();
    Path savepoint = States.write(run.resolve("savepoints").resolve("s"), 10, committed);

    assertThat(continuesFrom()).isEqualTo(savepoint);
  }

  @Test
  void aLaterRunCountsMoreThanAHigherNumber() throws Exception {
    Path early = leavesCheckpoint(9, 1);
    Path late = leavesCheckpoint(3, 1);

    assertThat(continuesFrom()).isEqualTo(late);
    assertThat(early).as("old state is deleted").doesNotExist();
  }

  @Test
  void aRunThatEndedBeforeItsFirstCheckpointIsPassedOver() throws Exception {
    Path state = leavesCheckpoint(9, 1);
    assertThat(continuesFrom()).isEqualTo(state);

    assertThat(continuesFrom()).isEqualTo(state);
  }

  @Test
  void anIncompleteCheckpointIsPassedOver() throws Exception {
    Path nine = leavesCheckpoint(9, 1);
    Files.createDirectories(nine.resolveSibling("chk-10"));

    assertThat(continuesFrom()).isEqualTo(nine);
  }

  @Test
  void afterABoundedRunItsStateIsNotUsedAgain() throws Exception {
    job.set(KafkaOptions.BOUNDED, true);
    leavesCheckpoint(9, 1);
    committed = Map.of(0, 5L);
    try (StateDirectory state = open()) {
      state.beginWithoutState(job);
      state.end();
    }

    assertThat(continuesFrom()).isNull();
  }

  @Test
  void aStateThatTheGroupHasPassedIsRefused() throws Exception {
    leavesCheckpoint(9, 5);
    committed = Map.of(0, 6L);

    isRefused("offset 5 of partition 0", "offset 6", "--discard-state");
  }

  @Test
  void aStateThatIsGoneIsMissed() throws Exception {
    Path state = leavesCheckpoint(9, 5);
    Files.delete(state.resolve("_metadata"));

    isRefused("has no state", "{0=5}", "--discard-state");
  }

  @Test
  void anEmptyDirectoryForAGroupThatHasReadIsRefused() {
    committed = Map.of(0, 5L);

    isRefused("has no state", "{0=5}", "--discard-state");
  }

  @Test
  void withoutStateItBeginsAnyway() throws Exception {
    committed = Map.of(0, 5L);
    try (StateDirectory state = open()) {
      assertThat(state.beginWithoutState(job).contains(StateRecoveryOptions.SAVEPOINT_PATH))
          .isFalse();
    }

    assertThat(continuesFrom()).isNull();
  }

  @Test
  void aStateOfAnotherJobIsRefused() throws Exception {
    leavesCheckpoint(9, 5);

    cluster = "k2";
    isRefused("Kafka cluster k1", "has k2");
    cluster = "k1";
    job.set(KafkaOptions.INPUT_TOPIC, "questions");
    isRefused("flinfer.input.topic prompts", "has questions");
    job.removeConfig(KafkaOptions.INPUT_TOPIC);
    job.set(KafkaOptions.BOUNDED, true);
    isRefused("flinfer.bounded false", "has true");
  }

  @Test
  void aStateThatIsCutOffIsNamed() throws Exception {
    Path state = leavesCheckpoint(9, 5);
    Files.write(state.resolve("_metadata"), new byte[3]);

    isRefused(state.toString(), "cannot be read");
  }

  @Test
  void optionsThatItSetsItselfAreRefused() {
    job.set(StateRecoveryOptions.SAVEPOINT_PATH, "file:///s");

    isRefused("execution.state-recovery.path", "file:///s", "--state");
  }

  @Test
  void oneProcessUsesItAtATime() throws Exception {
    try (StateDirectory first = open()) {
      assertThatThrownBy(this::open)
          .isInstanceOf(UserError.class)
          .hasMessageContainingAll(
              "is in use by another run", Long.toString(ProcessHandle.current().pid()));
    }
    open().close();
  }

  @Test
  void aFileIsNotADirectory() throws Exception {
    Files.createFile(temp.resolve("a state"));

    assertThatThrownBy(this::open)
        .isInstanceOf(UserError.class)
        .hasMessageContaining("is not a directory");
  }

  @Test
  void onlyTheOwnerCanEnterIt() throws Exception {
    continuesFrom();

    assertThat(permissions(temp.resolve("a state"))).isEqualTo("rwx------");
  }

  /** Someone may give it a directory such as /tmp. */
  @Test
  void aDirectoryThatExistsStaysAsItIsAndWhatIsInItIsTheOwners() throws Exception {
    Path shared = Files.createDirectory(temp.resolve("a state"));
    Files.setPosixFilePermissions(shared, PosixFilePermissions.fromString("rwxrwxr-x"));

    continuesFrom();

    assertThat(permissions(shared)).isEqualTo("rwxrwxr-x");
    assertThat(permissions(shared.resolve("runs"))).isEqualTo("rwx------");
  }

  private static String permissions(Path path) throws Exception {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(path));
  }
}

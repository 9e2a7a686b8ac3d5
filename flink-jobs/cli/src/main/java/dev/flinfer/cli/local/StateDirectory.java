package dev.flinfer.cli.local;

import dev.flinfer.cli.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Comparator;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.StateRecoveryOptions;

/** A directory from which a job continues after it ended: by itself, by Ctrl-C or by a crash. */
public final class StateDirectory {
  /** Flink writes this file last, so a checkpoint that has it is complete. */
  private static final String METADATA = "_metadata";

  private final Path directory;

  public StateDirectory(Path directory) {
    this.directory = directory.toAbsolutePath().normalize();
  }

  Path savepoints() {
    return directory.resolve("savepoints");
  }

  private Path checkpoints() {
    return directory.resolve("checkpoints");
  }

  /** Flink expects an unescaped path after the scheme; it would not decode {@code %20}. */
  static String flinkPath(Path path) {
    return "file://" + path.toAbsolutePath();
  }

  /** Returns the newest complete checkpoint or savepoint. */
  Optional<Path> newest() throws IOException {
    if (!Files.isDirectory(directory)) {
      return Optional.empty();
    }
    try (Stream<Path> files = Files.walk(directory)) {
      return files
          .filter(file -> file.endsWith(METADATA))
          .max(Comparator.comparing(StateDirectory::time))
          .map(Path::getParent);
    }
  }

  private static FileTime time(Path file) {
    try {
      return Files.getLastModifiedTime(file);
    } catch (IOException e) {
      throw new UserError(file + " cannot be read: " + e.getMessage(), e);
    }
  }

  /** Configures the job to keep its state here, and to start from the newest state here. */
  public void addTo(Configuration config) throws IOException {
    config.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, flinkPath(checkpoints()));
    config.set(
        CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION,
        ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);
    newest().ifPresent(path -> config.set(StateRecoveryOptions.SAVEPOINT_PATH, flinkPath(path)));
  }
}

package dev.flinfer.cli.state;

import dev.flinfer.cli.Directories;
import dev.flinfer.cli.UserError;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * The part of a state directory that belongs to one run: its checkpoints and savepoints, and what
 * it knew when it started.
 */
final class SavedRun {
  private static final String PROPERTIES = "run.properties";
  private static final String ENDED = "ended";
  private static final String OFFSET = "offset.";

  private final Path directory;

  SavedRun(Path directory) {
    this.directory = directory;
  }

  /**
   * Creates the directory of a new run.
   *
   * @param groupOffsets the consumer group's committed offsets at the start of the run
   */
  static SavedRun create(Path directory, JobIdentity identity, Map<Integer, Long> groupOffsets)
      throws IOException {
    SavedRun run = new SavedRun(Directories.createForOwner(directory));
    Properties properties = new Properties();
    identity.writeTo(properties);
    groupOffsets.forEach(
        (partition, offset) -> properties.setProperty(OFFSET + partition, offset.toString()));
    run.store(properties);
    return run;
  }

  Path directory() {
    return directory;
  }

  /** False if the run's process ended before it had written what it knew. */
  boolean hasStarted() {
    return Files.exists(directory.resolve(PROPERTIES));
  }

  Path checkpoints() {
    return directory.resolve("checkpoints");
  }

  Path savepoints() {
    return directory.resolve("savepoints");
  }

  /** Notes that the job has ended by itself, so that a later run does not continue from here. */
  void end() throws IOException {
    Properties properties = properties();
    properties.setProperty(ENDED, "true");
    store(properties);
  }

  boolean hasEnded() {
    return Boolean.parseBoolean(properties().getProperty(ENDED));
  }

  JobIdentity identity() {
    return JobIdentity.from(properties());
  }

  /** The consumer group's committed offsets at the start of the run, by partition. */
  Map<Integer, Long> groupOffsets() {
    Map<Integer, Long> offsets = new TreeMap<>();
    properties()
        .forEach(
            (key, value) -> {
              if (key.toString().startsWith(OFFSET)) {
                offsets.put(
                    Integer.valueOf(key.toString().substring(OFFSET.length())),
                    Long.valueOf(value.toString()));
              }
            });
    return offsets;
  }

  /** Returns the complete checkpoint or savepoint with the highest number. */
  Optional<SavedState> newest() throws IOException {
    List<SavedState> states = new ArrayList<>();
    for (Path root : List.of(checkpoints(), savepoints())) {
      if (Files.isDirectory(root)) {
        try (Stream<Path> files = Files.walk(root)) {
          for (Path file : files.filter(f -> f.endsWith(SavedState.METADATA)).toList()) {
            states.add(read(file.getParent()));
          }
        }
      }
    }
    return states.stream().max(Comparator.comparingLong(SavedState::id));
  }

  private static SavedState read(Path state) {
    try {
      return SavedState.in(state);
    } catch (IOException e) {
      throw new UserError(
          "the state in %s cannot be read: %s. Restore it from a copy, or delete it to continue from"
                  .formatted(state, e.getMessage())
              + " an older one, if there is one",
          e);
    }
  }

  private Properties properties() {
    Properties properties = new Properties();
    Path file = directory.resolve(PROPERTIES);
    try (InputStream in = Files.newInputStream(file)) {
      properties.load(in);
    } catch (IOException | IllegalArgumentException e) {
      throw new UserError("%s cannot be read: %s".formatted(file, e.getMessage()), e);
    }
    return properties;
  }

  /** Replaces the file in one step, so that a crash leaves either the old one or the new one. */
  private void store(Properties properties) throws IOException {
    Path file = directory.resolve(PROPERTIES);
    Path part = directory.resolve(PROPERTIES + ".part");
    try (OutputStream out = Files.newOutputStream(part)) {
      properties.store(out, null);
    }
    Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}

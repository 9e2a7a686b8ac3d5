package dev.flinfer.cli.state;

import dev.flinfer.cli.Directories;
import dev.flinfer.cli.UserError;
import dev.flinfer.jobs.ConsumerGroup;
import dev.flinfer.jobs.KafkaOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.ExternalizedCheckpointRetention;
import org.apache.flink.configuration.StateRecoveryOptions;

/**
 * A directory from which a job continues after its process ended, in whatever way. Each run has a
 * numbered directory in it. A run continues from the newest state of the latest run that has any,
 * by the numbers of runs and checkpoints; file times say nothing, since copying changes them.
 *
 * <p>A state from which an answer would be given twice, or a prompt be skipped, is refused: one of
 * another job, one that the consumer group's offsets have passed, and one that is gone though the
 * group's offsets show that there was one. One process at a time uses the directory.
 */
public final class StateDirectory implements AutoCloseable {
  private static final List<ConfigOption<String>> OWN_OPTIONS =
      List.of(CheckpointingOptions.CHECKPOINTS_DIRECTORY, StateRecoveryOptions.SAVEPOINT_PATH);

  private final Path directory;
  private final FileChannel lock;
  private final Function<Configuration, ConsumerGroup> groups;
  private SavedRun run;

  private StateDirectory(
      Path directory, FileChannel lock, Function<Configuration, ConsumerGroup> groups) {
    this.directory = directory;
    this.lock = lock;
    this.groups = groups;
  }

  /**
   * Creates the directory if it does not exist, and locks it until this object is closed.
   *
   * @throws UserError if it cannot be written or is in use; the message says how to fix it
   */
  public static StateDirectory open(Path path) {
    return open(path, ConsumerGroup::read);
  }

  /** Like {@link #open(Path)}, with the consumer group that a job with these options has. */
  static StateDirectory open(Path path, Function<Configuration, ConsumerGroup> groups) {
    Path directory = path.toAbsolutePath().normalize();
    Path file = directory.resolve("lock");
    try {
      Directories.createForOwner(directory);
      FileChannel channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
      if (!isLocked(channel)) {
        String owner = Files.readString(file).strip();
        channel.close();
        throw new UserError(
            "%s is in use by another run%s; end that run, or use another --state directory"
                .formatted(directory, owner.isEmpty() ? "" : " (process " + owner + ")"));
      }
      channel.truncate(0);
      channel.write(
          ByteBuffer.wrap(
              Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)));
      return new StateDirectory(directory, channel, groups);
    } catch (FileAlreadyExistsException e) {
      throw new UserError("%s, given by --state, is not a directory".formatted(e.getFile()), e);
    } catch (IOException e) {
      throw new UserError(
          "%s, given by --state, cannot be used: %s (%s). Use a directory that this user can write"
              .formatted(directory, e.getMessage(), e.getClass().getSimpleName()),
          e);
    }
  }

  private static boolean isLocked(FileChannel channel) throws IOException {
    try {
      return channel.tryLock() != null;
    } catch (OverlappingFileLockException e) { // by this process
      return false;
    }
  }

  /** Flink expects an unescaped path after the scheme; it would not decode {@code %20}. */
  public static String flinkPath(Path path) {
    return "file://" + path.toAbsolutePath();
  }

  /** Where the savepoint with which the present run ends belongs. */
  public Path savepoints() {
    return run.savepoints();
  }

  /**
   * Begins a run: chooses the state that it continues from, and deletes those before it.
   *
   * @return the options of the job and those by which it continues there and keeps its state here
   * @throws UserError if the choice is not certain; the message says how to fix it
   */
  public Configuration begin(Configuration job) throws IOException {
    requireUnset(job);
    ConsumerGroup group = groups.apply(job);
    List<SavedRun> runs = runs();
    Optional<SavedRun> from = latestWithAnEnd(runs);
    Optional<SavedState> state =
        from.isPresent() && !from.get().hasEnded() ? from.get().newest() : Optional.empty();
    if (state.isPresent()) {
      JobIdentity.of(job, group.cluster())
          .requireSameAs(from.get().identity(), from.get().directory());
      requireNotPassed(state.get(), group);
    } else if (job.get(KafkaOptions.STARTING_OFFSETS)
        == KafkaOptions.StartingOffsets.COMMITTED_OR_EARLIEST) {
      requireNoStateBefore(runs, group);
    }
    run = create(runs, job, group);
    for (SavedRun old : runs) {
      if (from.isEmpty() || !old.directory().equals(from.get().directory())) {
        Directories.delete(old.directory());
      }
    }
    return configuration(job, state.map(SavedState::directory));
  }

  /** Begins a run at the consumer group's offsets, and deletes all states. */
  public Configuration beginWithoutState(Configuration job) throws IOException {
    requireUnset(job);
    List<SavedRun> runs = runs();
    run = create(runs, job, groups.apply(job));
    for (SavedRun old : runs) {
      Directories.delete(old.directory());
    }
    return configuration(job, Optional.empty());
  }

  private static void requireUnset(Configuration job) {
    for (ConfigOption<String> option : OWN_OPTIONS) {
      if (job.contains(option)) {
        throw new UserError(
            "%s is set to %s, and --state sets it, too; leave out one of them"
                .formatted(option.key(), job.get(option)));
      }
    }
  }

  private SavedRun create(List<SavedRun> runs, Configuration job, ConsumerGroup group)
      throws IOException {
    int number = runs.isEmpty() ? 1 : number(runs.get(0).directory()) + 1;
    return SavedRun.create(
        directory.resolve("runs").resolve(Integer.toString(number)),
        JobIdentity.of(job, group.cluster()),
        group.offsets());
  }

  /** Returns the directories of earlier runs, the latest first. */
  private List<SavedRun> runs() throws IOException {
    Path root = directory.resolve("runs");
    if (!Files.isDirectory(root)) {
      return List.of();
    }
    try (Stream<Path> children = Files.list(root)) {
      return children
          .filter(child -> child.getFileName().toString().matches("\\d{1,9}"))
          .sorted(Comparator.comparingInt(StateDirectory::number).reversed())
          .map(SavedRun::new)
          .filter(SavedRun::hasStarted)
          .toList();
    }
  }

  private static int number(Path run) {
    return Integer.parseInt(run.getFileName().toString());
  }

  /** Returns the latest run that left a state or came to its end; others left nothing behind. */
  private static Optional<SavedRun> latestWithAnEnd(List<SavedRun> runs) throws IOException {
    for (SavedRun candidate : runs) {
      if (candidate.hasEnded() || candidate.newest().isPresent()) {
        return Optional.of(candidate);
      }
    }
    return Optional.empty();
  }

  /** Each checkpoint commits the offsets that are in it, so a later offset shows a later one. */
  private static void requireNotPassed(SavedState state, ConsumerGroup group) throws IOException {
    Map<Integer, Long> saved = state.offsets();
    group
        .offsets()
        .forEach(
            (partition, committed) -> {
              if (saved.getOrDefault(partition, committed) < committed) {
                throw new UserError(
                    ("the state in %s continues at offset %d of partition %d, and the consumer group"
                            + " is at offset %d: a newer state existed, or another job has read"
                            + " with this group. Prompts in between would be answered twice."
                            + " Restore the newer state, use another flinfer.kafka.group-id, or"
                            + " start at the group's offsets with --discard-state")
                        .formatted(state.directory(), saved.get(partition), partition, committed));
              }
            });
  }

  private void requireNoStateBefore(List<SavedRun> runs, ConsumerGroup group) {
    Map<Integer, Long> known;
    if (runs.isEmpty()) {
      known = Map.of();
    } else if (runs.get(0).hasEnded()) {
      return;
    } else {
      known = runs.get(0).groupOffsets(); // it ended before its first checkpoint
    }
    if (!group.offsets().equals(known)) {
      throw new UserError(
          ("%s has no state, but the consumer group has read the input topic (offsets by"
                  + " partition: %s). Requests that were in flight then would be skipped."
                  + " If a run with another --state directory, or with state that is now gone, read"
                  + " it, restore that; if every earlier run ended with Ctrl-C and without --state,"
                  + " nothing is in flight: start at the group's offsets with --discard-state")
              .formatted(directory, group.offsets()));
    }
  }

  private Configuration configuration(Configuration job, Optional<Path> state) {
    Configuration config = new Configuration(job);
    config.set(CheckpointingOptions.CHECKPOINTS_DIRECTORY, flinkPath(run.checkpoints()));
    config.set(
        CheckpointingOptions.EXTERNALIZED_CHECKPOINT_RETENTION,
        ExternalizedCheckpointRetention.RETAIN_ON_CANCELLATION);
    state.ifPresent(path -> config.set(StateRecoveryOptions.SAVEPOINT_PATH, flinkPath(path)));
    return config;
  }

  /** Notes that the job has ended by itself; the next run starts at the group's offsets. */
  public void end() throws IOException {
    run.end();
  }

  @Override
  public void close() {
    try {
      lock.close();
    } catch (IOException e) {
      throw new UserError("%s cannot be unlocked: %s".formatted(directory, e.getMessage()), e);
    }
  }
}

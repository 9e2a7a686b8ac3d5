package dev.flinfer.cli.main;

import dev.flinfer.cli.Directories;
import dev.flinfer.cli.local.RunCommand;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A directory for the temporary files of this process: Flink's, Kafka's, and the native libraries
 * that jars unpack. Only its owner can enter it. It is locked while the process lives, so that the
 * next process can delete what a killed one left behind.
 */
final class ProcessDirectory {
  private static final String PREFIX = "process-";

  private final Path directory;

  /** Held until the process ends; a channel that is not referenced would be closed. */
  private final FileLock lock;

  private ProcessDirectory(Path directory, FileLock lock) {
    this.directory = directory;
    this.lock = lock;
  }

  /**
   * Makes a directory of this process the one for temporary files. Without the right to write in
   * the system's, or where another user owns the one that it needs there, the system's is used.
   */
  static void use() {
    Path temp = Path.of(System.getProperty("java.io.tmpdir"));
    try {
      create(temp, System.getProperty("user.name"))
          .ifPresent(
              created -> {
                System.setProperty(
                    RunCommand.LASTING_DIRECTORY, created.directory.getParent().toString());
                System.setProperty("java.io.tmpdir", created.directory.toString());
                Runtime.getRuntime().addShutdownHook(new Thread(created::deleteQuietly));
              });
    } catch (IOException e) {
      // Flink and Kafka say better what they cannot write.
    }
  }

  /** Creates the directory, and deletes those of processes that have ended. */
  static Optional<ProcessDirectory> create(Path temp, String user) throws IOException {
    Path root = temp.resolve("flinfer-" + user);
    Directories.createForOwner(root);
    if (Files.isSymbolicLink(root)
        || !Files.getOwner(root, LinkOption.NOFOLLOW_LINKS).getName().equals(user)) {
      return Optional.empty();
    }
    try (FileChannel all = open(root.resolve("lock"));
        FileLock held = all.lock()) { // one process at a time creates and deletes here
      deleteAbandoned(root);
      Path directory = Files.createTempDirectory(root, PREFIX);
      return Optional.of(new ProcessDirectory(directory, open(lockFile(directory)).lock()));
    }
  }

  private static void deleteAbandoned(Path root) throws IOException {
    List<Path> directories;
    try (Stream<Path> children = Files.list(root)) {
      directories =
          children
              .filter(child -> child.getFileName().toString().startsWith(PREFIX))
              .filter(Files::isDirectory)
              .toList();
    }
    for (Path directory : directories) {
      try (FileChannel channel = open(lockFile(directory))) {
        if (channel.tryLock() != null) {
          Directories.delete(directory);
          Files.delete(lockFile(directory));
        }
      } catch (OverlappingFileLockException e) {
        // of this process
      }
    }
  }

  private static FileChannel open(Path file) throws IOException {
    return FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
  }

  private static Path lockFile(Path directory) {
    return directory.resolveSibling("lock-" + directory.getFileName());
  }

  Path directory() {
    return directory;
  }

  /** What other shutdown hooks still write is deleted by the next process. */
  private void deleteQuietly() {
    try {
      Directories.delete(directory);
      Files.deleteIfExists(lockFile(directory));
      lock.release();
    } catch (IOException e) {
      // deleted by the next process
    }
  }
}

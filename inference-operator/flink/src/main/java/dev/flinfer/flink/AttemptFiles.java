package dev.flinfer.flink;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Failed attempts as files, one for each: {@code <hash of the text>.<number>}. Creating a file is
 * atomic, so a process that dies leaves either an attempt or none. Number 0 is a suspicion, which
 * is no attempt.
 */
final class AttemptFiles {
  /** Longer than any outage: a record may come again after it. */
  private static final Duration KEPT = Duration.ofDays(30);

  private static final Pattern NAME = Pattern.compile("([0-9a-f]{32})\\.([0-9]{1,9})");

  private final Path directory;

  AttemptFiles(Path directory) {
    this.directory = directory;
  }

  /** The number of attempts by the hash of the text. Deletes old files. */
  Map<String, Integer> load() throws IOException {
    FileTime oldest = FileTime.from(Instant.now().minus(KEPT));
    Map<String, Integer> attempts = new HashMap<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
      for (Path file : files) {
        Matcher name = NAME.matcher(file.getFileName().toString());
        if (!name.matches()) {
          continue;
        }
        if (Files.getLastModifiedTime(file).compareTo(oldest) < 0) {
          Files.deleteIfExists(file);
        } else {
          attempts.merge(name.group(1), Integer.parseInt(name.group(2)), Math::max);
        }
      }
    }
    return attempts;
  }

  /** Adds an attempt to the number that there are. */
  void add(String text, int before) throws IOException {
    create(text, before + 1);
  }

  void suspect(String text) throws IOException {
    create(text, 0);
  }

  private void create(String text, int number) throws IOException {
    Path file = directory.resolve(hash(text) + "." + number);
    try {
      Files.createFile(
          file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    } catch (FileAlreadyExistsException e) {
      return; // another process counted it
    }
    Files.writeString(file, text + "\n", StandardOpenOption.WRITE); // for human readers
  }

  void remove(String text, int upTo) throws IOException {
    for (int number = 0; number <= upTo; number++) {
      Files.deleteIfExists(directory.resolve(hash(text) + "." + number));
    }
  }

  static String hash(String text) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(hash, 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }
}

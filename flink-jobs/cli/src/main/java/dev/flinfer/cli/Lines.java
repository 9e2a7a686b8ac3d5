package dev.flinfer.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Files of lines, in UTF-8. */
public final class Lines {
  private static final Path STANDARD_INPUT = Path.of("-");

  private Lines() {}

  static boolean isStandardInput(Path file) {
    return file.equals(STANDARD_INPUT);
  }

  /** Opens a file or, for {@code -}, standard input. */
  public static BufferedReader open(Path file) throws IOException {
    if (isStandardInput(file)) {
      return new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    }
    if (Files.isDirectory(file)) {
      throw new UserError(file + " is a directory; it must be a file of lines");
    }
    return Files.newBufferedReader(file);
  }

  /**
   * Returns the number of non-blank lines, for progress; 0 for standard input, which can be read
   * only once.
   */
  public static long count(Path file) throws IOException {
    if (isStandardInput(file)) {
      return 0;
    }
    try (BufferedReader lines = open(file)) {
      return lines.lines().filter(line -> !line.isBlank()).count();
    }
  }
}

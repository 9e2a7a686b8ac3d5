package dev.flinfer.cli;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** The lines of a file in UTF-8. A byte order mark at its head is no text and is skipped. */
public final class Lines implements AutoCloseable {
  private static final Path STANDARD_INPUT = Path.of("-");

  private final String name;
  private final InputStream in;
  private long number;

  /**
   * A line, which need not be text.
   *
   * @param place the file and the number of the line, for messages
   * @param number counts from 1
   */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Line(String place, long number, byte[] bytes) {
    /**
     * @throws UserError if the line is not UTF-8, naming the byte
     */
    public String text() {
      return Utf8.decode(bytes);
    }

    /** A message about this line. */
    public String problem(RuntimeException e) {
      return "flinfer: %s: %s".formatted(place, e.getMessage());
    }

    public boolean isBlank() {
      return new String(bytes, StandardCharsets.UTF_8).isBlank();
    }
  }

  private Lines(String name, InputStream in) {
    this.name = name;
    this.in = in;
  }

  private static boolean isStandardInput(Path file) {
    return file.equals(STANDARD_INPUT);
  }

  /**
   * Opens a file or, for {@code -}, standard input.
   *
   * @throws UserError if it is a directory or in UTF-16
   */
  public static Lines open(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new UserError(file + " is a directory; it must be a file of lines");
    }
    InputStream bytes = isStandardInput(file) ? System.in : Files.newInputStream(file);
    try {
      return new Lines(file.toString(), Utf8.stream(bytes));
    } catch (UserError e) {
      bytes.close();
      throw new UserError("%s: %s".formatted(file, e.getMessage()), e);
    }
  }

  /** Returns the next line, or null at the end. */
  public Line next() throws IOException {
    byte[] bytes = Utf8.line(in);
    number++;
    return bytes == null ? null : new Line(name + ":" + number, number, bytes);
  }

  /** Returns the next line that is not blank, or null at the end. */
  public Line nextNonBlank() throws IOException {
    Line line = next();
    while (line != null && line.isBlank()) {
      line = next();
    }
    return line;
  }

  /**
   * Returns the number of non-blank lines, for progress; 0 for standard input, which can be read
   * only once.
   */
  public static long count(Path file) throws IOException {
    if (isStandardInput(file)) {
      return 0;
    }
    long count = 0;
    try (Lines lines = open(file)) {
      while (lines.nextNonBlank() != null) {
        count++;
      }
    }
    return count;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}

package dev.flinfer.cli;

import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Text from files: bytes that are not UTF-8 are an error, never another character. */
final class Utf8 {
  /** The bytes of the byte order mark. */
  private static final String MARK = "\u00EF\u00BB\u00BF";

  private Utf8() {}

  /**
   * Returns the text of a small file, without a byte order mark.
   *
   * @throws UserError if it is not UTF-8, naming the file and the byte
   */
  static String read(Path file) throws IOException {
    try (InputStream in = stream(Files.newInputStream(file))) {
      return decode(in.readAllBytes());
    } catch (UserError e) {
      throw new UserError("%s: %s".formatted(file, e.getMessage()), e);
    }
  }

  /**
   * Returns a stream that begins after the byte order mark, if there is one.
   *
   * @throws UserError if the bytes begin as those of UTF-16 do
   */
  static InputStream stream(InputStream bytes) throws IOException {
    BufferedInputStream in = new BufferedInputStream(bytes, 1 << 16);
    in.mark(MARK.length());
    // Not more than necessary: a line that is typed must not wait for the next one.
    int first = in.read();
    int second = first < 0 || first == '\n' ? -1 : in.read();
    if (first == MARK.charAt(0) && second == MARK.charAt(1) && in.read() == MARK.charAt(2)) {
      return in;
    }
    in.reset();
    boolean marked = (first == 0xFF && second == 0xFE) || (first == 0xFE && second == 0xFF);
    // Without a mark, one of the first two bytes of UTF-16 is zero in nearly every language.
    if (marked || (second >= 0 && (first == 0) != (second == 0))) {
      throw new UserError(
          "the first bytes are %02X %02X, as in UTF-16; convert it to UTF-8, such as with `iconv -f UTF-16 -t UTF-8`"
              .formatted(first, second));
    }
    return in;
  }

  /**
   * @throws UserError if the bytes are not UTF-8, naming the first of them
   */
  static String decode(byte[] bytes) {
    // A new decoder reports instead of replacing.
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer out = CharBuffer.allocate(bytes.length);
    CoderResult result = decoder.decode(in, out, true);
    if (result.isError()) {
      throw new UserError(
          "byte %d (%02X) is not UTF-8; convert other encodings, such as with `iconv -f LATIN1 -t UTF-8`"
              .formatted(in.position(), bytes[in.position()]));
    }
    return out.flip().toString();
  }

  /** Reads the bytes of a line up to {@code \n}, {@code \r} or both; null at the end. */
  static byte[] line(InputStream in) throws IOException {
    int b = in.read();
    if (b < 0) {
      return null;
    }
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    for (; b >= 0 && b != '\n' && b != '\r'; b = in.read()) {
      line.write(b);
    }
    if (b == '\r') {
      in.mark(1);
      if (in.read() != '\n') {
        in.reset();
      }
    }
    return line.toByteArray();
  }
}

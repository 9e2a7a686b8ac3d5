package dev.flinfer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class LinesTest {
  @TempDir private Path dir;
  private Path file;

  @BeforeEach
  void setUp() {
    file = dir.resolve("lines.txt");
  }

  private void write(String text, Charset charset) throws IOException {
    Files.write(file, text.getBytes(charset));
  }

  private List<String> texts() throws IOException {
    List<String> texts = new ArrayList<>();
    try (Lines lines = Lines.open(file)) {
      for (Lines.Line line = lines.next(); line != null; line = lines.next()) {
        assertThat(line.place()).isEqualTo(file + ":" + (texts.size() + 1));
        texts.add(line.text());
      }
    }
    return texts;
  }

  @Test
  void linesEndInEachOfTheThreeWays() throws IOException {
    write("a\n\nbö\r\nc\rd\n\r\n\u4e2d", StandardCharsets.UTF_8);
    assertThat(texts()).containsExactly("a", "", "bö", "c", "d", "", "\u4e2d");
    assertThat(Lines.count(file)).isEqualTo(5);
    write("", StandardCharsets.UTF_8);
    assertThat(texts()).isEmpty();
    write("\n", StandardCharsets.UTF_8);
    assertThat(texts()).containsExactly("");
  }

  @Test
  void aByteOrderMarkIsNoTextAtTheHeadAndTextElsewhere() throws IOException {
    write("\uFEFFa\n\uFEFFb", StandardCharsets.UTF_8);
    assertThat(texts()).containsExactly("a", "\uFEFFb");
    write("\uFEFF", StandardCharsets.UTF_8);
    assertThat(texts()).isEmpty();
  }

  @Test
  void aLineThatIsNotUtf8IsNamedAndTheOthersAreRead() throws IOException {
    write("one\ncaf\u00e9\nthree", StandardCharsets.ISO_8859_1);
    assertThat(Lines.count(file)).isEqualTo(3);
    try (Lines lines = Lines.open(file)) {
      assertThat(lines.next().text()).isEqualTo("one");
      Lines.Line line = lines.next();
      assertThat(line.place()).isEqualTo(file + ":2");
      assertThatThrownBy(line::text)
          .hasMessage(
              "byte 3 (E9) is not UTF-8; convert other encodings, such as with `iconv -f LATIN1 -t"
                  + " UTF-8`");
      assertThat(lines.next().text()).isEqualTo("three");
    }
  }

  @ParameterizedTest
  @CsvSource({
    "UTF-16, FE FF",
    "UTF-16LE, FF FE",
    "UTF-16LE, 61 00",
    "UTF-16BE, 00 61",
  })
  void utf16IsNamed(String charset, String head) throws IOException {
    String mark = head.equals("FF FE") ? "\uFEFF" : "";
    write(mark + "a\nb", Charset.forName(charset));
    assertThatThrownBy(() -> Lines.open(file))
        .isInstanceOf(UserError.class)
        .hasMessage(
            "%s: the first bytes are %s, as in UTF-16; convert it to UTF-8, such as with `iconv -f UTF-16 -t UTF-8`"
                .formatted(file, head));
  }

  @Test
  void aFileOfOptionsIsUtf8AsWell() throws IOException {
    write("\uFEFFflinfer.model: m\u00f6del\n", StandardCharsets.UTF_8);
    assertThat(Settings.ofFile(file).toMap()).containsEntry("flinfer.model", "m\u00f6del");
    write("flinfer.model: m\u00f6del\n", StandardCharsets.ISO_8859_1);
    assertThatThrownBy(() -> Settings.ofFile(file))
        .hasMessageStartingWith(file + ": byte 16 (F6) is not UTF-8; ");
  }

  /** A prompt that is typed is answered before the next one is. */
  @Test
  @Timeout(30)
  void aShortLineIsReadWithoutTheNext() throws IOException {
    try (PipedOutputStream typed = new PipedOutputStream();
        InputStream in = new PipedInputStream(typed)) {
      typed.write("\n".getBytes(StandardCharsets.UTF_8));
      InputStream stream = Utf8.stream(in);
      assertThat(Utf8.line(stream)).isEmpty();
      typed.write("a\n".getBytes(StandardCharsets.UTF_8));
      assertThat(Utf8.line(stream)).asString().isEqualTo("a");
    }
  }
}

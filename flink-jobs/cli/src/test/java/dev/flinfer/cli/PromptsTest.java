package dev.flinfer.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.cli.Prompts.Prompt;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PromptsTest {
  private static final String FIRST =
      "{\"id\": \"a\", \"prompt\": \"Hi\", \"metadata\": {\"label\": \"billing\"}}";

  @TempDir private Path dir;
  private Path file;

  @BeforeEach
  void setUp() {
    file = dir.resolve("held-out.jsonl");
  }

  private void write(String... lines) throws IOException {
    Files.writeString(file, String.join("\n", lines));
  }

  @Test
  void readsTheFirstPromptsWithTheirLabels() throws IOException {
    write(FIRST, "", "{\"id\": \"b\", \"prompt\": \"Ho\"}", "not read");

    assertThat(Prompts.read(file, 2).values())
        .containsExactly(
            new Prompt("a", "Hi", "billing", FIRST),
            new Prompt("b", "Ho", null, "{\"id\": \"b\", \"prompt\": \"Ho\"}"));
  }

  @Test
  void aDuplicateIdIsAnError() throws IOException {
    write(FIRST, FIRST);

    assertThatThrownBy(() -> Prompts.read(file, 0))
        .hasMessage(
            file + ":2: id a occurs twice; ids must be unique, so that outcomes can be counted");
  }

  @Test
  void aMissingIdIsAnError() throws IOException {
    write("{\"prompt\": \"Hi\"}");

    assertThatThrownBy(() -> Prompts.read(file, 0))
        .hasMessage(file + ":1: id is missing; it is needed to count outcomes");
  }

  @Test
  void anEmptyFileIsAnError() throws IOException {
    write("", "");

    assertThatThrownBy(() -> Prompts.read(file, 0)).hasMessage(file + " has no prompts");
  }

  @Test
  void aLineThatIsNotUtf8IsAnError() throws IOException {
    Files.write(file, "{\"id\": \"\u00e9\"}".getBytes(StandardCharsets.ISO_8859_1));

    assertThatThrownBy(() -> Prompts.read(file, 0))
        .hasMessageStartingWith(file + ":1: byte 8 (E9) is not UTF-8; ");
  }
}

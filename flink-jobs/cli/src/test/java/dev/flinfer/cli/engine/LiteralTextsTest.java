package dev.flinfer.cli.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.engine.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code generate} and {@code tokenize} take texts as they are, from options and from files. */
final class LiteralTextsTest extends EngineCommandsFixture {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "@@home",
        "-h",
        "--help",
        "-v",
        "-v[0-9]",
        "-hello there",
        "--json",
        "--",
        "-",
        "",
        " x ",
        "\"quoted\"",
        "'a'",
        "\"a",
        "a=b",
        "\\n",
        "${sys:user.home}",
        "%d",
        "tokenize"
      })
  void aTextIsTakenLiterally(String text) {
    String ids = Arrays.toString(Tokenizer.load(model).encode(text)) + "\n";

    assertThat(run("tokenize", "--json", "--text", text)).as(recorded.err()).isZero();
    assertThat(run("tokenize", "--text=" + text, "--json")).as(recorded.err()).isZero();

    assertThat(recorded.out()).isEqualTo(ids + ids);
  }

  @Test
  void anAtSignDoesNotReadAFile() throws IOException {
    String text = "@" + file("--help");
    assertThat(run("tokenize", "--json", "--text", text)).isZero();
    assertThat(recorded.out())
        .isEqualTo(Arrays.toString(Tokenizer.load(model).encode(text)) + "\n");
  }

  @Test
  void labelsAndPatternsAreTakenLiterally() throws IOException {
    run("generate", "--prompt=-v", "--choices", "\"a,b\",-h, @c", "--json");
    assertThat(answers().get(0).get("label_probabilities").fieldNames())
        .toIterable()
        .containsExactly("\"a", "b\"", "-h", " @c");

    run("generate", "--prompt", "-h", "--regex", "-v[0-9]", "--json");
    assertThat(answers().get(1).get("text").asText()).matches("-v[0-9]");
  }

  /** As a text editor saves a file of another encoding, or with a byte order mark. */
  @Test
  void aLineThatIsNotUtf8IsNamedAndTheOthersAreAnswered() throws IOException {
    Path file = dir.resolve("latin1");
    String text = "{\"prompt\": \"a\"}\n{\"prompt\": \"caf\u00e9\"}\n{\"prompt\": \"b\"}\n";
    Files.write(file, text.getBytes(StandardCharsets.ISO_8859_1));
    String problem =
        "flinfer: "
            + file
            + ":2: byte 15 (E9) is not UTF-8; convert other encodings, such as with `iconv -f"
            + " LATIN1 -t UTF-8`\n";

    assertThat(run("generate", "--file", file.toString(), "--json")).isEqualTo(1);
    assertThat(answers())
        .extracting(answer -> answer.get("id").asText())
        .containsExactly("line-1", "line-3");
    assertThat(recorded.err()).isEqualTo(problem);

    assertThat(run("tokenize", "--file", file.toString(), "--json")).isEqualTo(1);
    assertThat(recorded.out().lines()).hasSize(4);
    assertThat(recorded.err()).isEqualTo(problem + problem);
  }

  @Test
  void aByteOrderMarkIsNoText() throws IOException {
    Path file =
        file("\uFEFF{\"id\": \"a\", \"prompt\": \"x\"}", "{\"id\": \"b\", \"prompt\": \"x\"}");
    assertThat(run("generate", "--file", file.toString(), "--json")).isZero();
    assertThat(answers()).extracting(answer -> answer.get("id").asText()).containsExactly("a", "b");
  }

  @Test
  void aFileInUtf16IsAOneLineError() throws IOException {
    Path file = Files.write(dir.resolve("utf16"), "a".getBytes(StandardCharsets.UTF_16));
    assertThat(run("generate", "--file", file.toString())).isEqualTo(1);
    assertThat(recorded.err())
        .startsWith("flinfer: " + file + ": the first bytes are FE FF, as in UTF-16; ");
  }

  @Test
  void tokenizePrintsOneArrayPerLine() throws IOException {
    Path file = file("ab", "", "ä");

    assertThat(run("tokenize", "--file", file.toString(), "--json")).isZero();

    assertThat(recorded.out().lines()).hasSize(3);
    assertThat(recorded.out().lines().skip(1).findFirst()).hasValue("[]");
  }

  @Test
  void tokenizeWithoutJsonShowsEachTokensText() {
    assertThat(run("tokenize", "--text", "a\n")).isZero();
    assertThat(recorded.out().lines()).hasSize(2).first().asString().endsWith("  \"a\"");
    assertThat(recorded.out()).endsWith("  \"\\n\"\n");
  }
}

package dev.flinfer.cli.main;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.cli.Errors;
import dev.flinfer.cli.RecordedConsole;
import dev.flinfer.cli.UserError;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class FlinferTest {
  private final RecordedConsole recorded = new RecordedConsole();

  @ParameterizedTest
  @ValueSource(
      strings = {"quickstart", "run", "produce", "consume", "generate", "tokenize", "soak"})
  void helpOfEachCommandHasAnExampleAndFitsEightyColumns(String command) {
    assertThat(recorded.run(command, "--help")).isZero();
    assertThat(recorded.out())
        .startsWith("Usage: flinfer " + command)
        .contains("Example:\n")
        .contains("  flinfer " + command);
    assertThat(recorded.out().lines()).allMatch(line -> line.length() <= 80);
    assertThat(recorded.err()).isEmpty();
  }

  @Test
  void withoutACommandTheHelpIsPrintedAsAnError() {
    assertThat(recorded.run()).isEqualTo(2);
    assertThat(recorded.err()).contains("quickstart", "generate");
    assertThat(recorded.out()).isEmpty();
  }

  @Test
  void aUsageErrorIsOneLineAndAHint() {
    assertThat(recorded.run("generate", "--prompt", "Hi")).isEqualTo(2);
    assertThat(recorded.err())
        .isEqualTo(
            "flinfer: Missing required option: '--model=PATH'\nSee 'flinfer generate --help'.\n");
  }

  @Test
  void onlyOneSourceOfPromptsIsAccepted() {
    assertThat(recorded.run("generate", "--model", "m", "--prompt", "Hi", "--tokens", "1,2"))
        .isEqualTo(2);
    assertThat(recorded.err()).contains("--prompt=TEXT", "--tokens", "mutually exclusive");
  }

  @Test
  void aMissingModelIsAOneLineError() {
    assertThat(recorded.run("tokenize", "--model", "no/such", "--text", "Hi")).isEqualTo(1);
    assertThat(recorded.err())
        .isEqualTo(
            "flinfer: --model no/such does not exist; it must be a GGUF file or a model directory in"
                + " Hugging Face's layout (config.json, tokenizer.json, *.safetensors)\n");
  }

  @Test
  void aDirectoryThatIsNotAModelIsAOneLineError(@TempDir Path dir) {
    assertThat(recorded.run("generate", "--model", dir.toString(), "--prompt", "Hi")).isEqualTo(1);
    assertThat(recorded.err()).startsWith("flinfer: --model " + dir + " has no config.json;");
  }

  @Test
  void verbosePrintsTheStackTrace() {
    recorded.run("tokenize", "-v", "--model", "no/such", "--text", "Hi");
    assertThat(recorded.err()).contains("\tat dev.flinfer.cli.Models.path");
  }

  @Test
  void aRunNamesTheMissingOption() {
    assertThat(recorded.run("run", "--model", "m")).isEqualTo(1);
    assertThat(recorded.err())
        .isEqualTo(
            "flinfer: --bootstrap-servers HOST:PORT is missing;"
                + " give it here or in the --config file\n");
  }

  @Test
  void exceptionsOfTheFileSystemGiveTheReason() {
    assertThat(Errors.message(new NoSuchFileException("x.jsonl")))
        .isEqualTo("x.jsonl does not exist");
    assertThat(Errors.rootMessage(new IllegalStateException(new UserError("fix it"))))
        .isEqualTo("fix it");
    assertThat(Errors.message(new NullPointerException())).contains("NullPointerException");
  }
}

package dev.flinfer.cli.main;

import static org.assertj.core.api.Assertions.assertThat;

import dev.flinfer.cli.Errors;
import dev.flinfer.cli.RecordedConsole;
import dev.flinfer.cli.UserError;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class FlinferTest {
  private final RecordedConsole recorded = new RecordedConsole();

  @ParameterizedTest
  @ValueSource(
      strings = {
        "quickstart",
        "run",
        "produce",
        "consume",
        "generate",
        "tokenize",
        "bench",
        "devices",
        "soak"
      })
  void helpOfEachCommandHasAnExampleAndFitsEightyColumns(String command) {
    assertThat(recorded.run(command, "--help")).isZero();
    assertThat(recorded.out())
        .startsWith("Usage: flinfer " + command)
        .containsPattern("Examples?:\n")
        .contains("  flinfer " + command);
    assertThat(recorded.out().lines()).allMatch(line -> line.length() <= 80);
    assertThat(recorded.err()).isEmpty();
  }

  @Test
  void theHelpListsEachCommandAndTheExitCodes() {
    assertThat(recorded.run("--help")).isZero();
    assertThat(recorded.out())
        .contains("bench", "devices")
        .endsWith(
            "Exit codes: 0 success, 1 failure, 2 wrong usage, 130 stopped by Ctrl-C,\n"
                + "143 stopped by TERM.\n");
    assertThat(recorded.out().lines()).allMatch(line -> line.length() <= 80);
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

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          generat --prompt x                  | unknown command generat; did you mean generate?
          consum                              | unknown command consum; did you mean consume?
          serve                               | unknown command serve
          tokenize --model m --txt x          | unknown option --txt; did you mean --text?
          tokenize --model m --txt=x          | unknown option --txt; did you mean --text?
          consume --bootstrap-server b        | unknown option --bootstrap-server; did you mean --bootstrap-servers?
          bench --random phi-2 --no-enforce-eagre | unknown option --no-enforce-eagre; did you mean --no-enforce-eager?
          tokenize --model m --text a b       | unknown argument b
          produce -                           | Missing required option: '--bootstrap-servers=HOST:PORT'
          produce - --bootstrap-servers b --format xml | Invalid value for option '--format': expected one of [AVRO, JSON] (case-insensitive) but was 'xml'
          generate --model m --prompt x --threads many | Invalid value for option '--threads': 'many' is not an int
          bench --model m --random phi-2      | Error: --model=PATH, --random=NAME are mutually exclusive (specify only one)
          """)
  void wrongUsageIsExitCodeTwoAndSuggestsWhatIsMeant(String line, String message) {
    assertThat(recorded.run(line.split(" "))).isEqualTo(2);
    assertThat(recorded.err()).startsWith("flinfer: " + message + "\nSee 'flinfer");
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
  void aModelThatIsRefusedIsAOneLineError(@TempDir Path dir) throws IOException {
    Files.writeString(dir.resolve("config.json"), "{\"model_type\": \"phi\", \"alibi\": true}");
    Files.copy(Path.of("../../deploy/demo-model/tokenizer.json"), dir.resolve("tokenizer.json"));

    assertThat(recorded.run("generate", "--model", dir.toString(), "--prompt", "Hi")).isEqualTo(1);
    assertThat(recorded.err())
        .isEqualTo(
            "flinfer: "
                + dir.resolve("config.json")
                + ": alibi is true; this engine supports only null\n");
  }

  @Test
  void verbosePrintsTheStackTrace() {
    recorded.run("tokenize", "-v", "--model", "no/such", "--text", "Hi");
    assertThat(recorded.err()).contains("\tat dev.flinfer.cli.Models.path");
  }

  @Test
  void aRunNamesTheMissingOption() {
    assertThat(recorded.run("run", "--model", "m")).isEqualTo(2);
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

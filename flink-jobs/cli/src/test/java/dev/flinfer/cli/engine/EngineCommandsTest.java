package dev.flinfer.cli.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flinfer.cli.RecordedConsole;
import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.tokenizer.Tokenizer;
import dev.flinfer.engine.weights.DType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code generate} and {@code tokenize} on a small random checkpoint. */
final class EngineCommandsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private static Path model;

  @TempDir private Path dir;
  private final RecordedConsole recorded = new RecordedConsole();

  @BeforeAll
  static void writeCheckpoint() {
    RandomCheckpoint.write(model, RandomCheckpoint.Shape.ODD, DType.F32, 1);
  }

  private int run(String command, String... args) {
    String[] all = new String[args.length + 3];
    all[0] = command;
    all[1] = "--model";
    all[2] = model.toString();
    System.arraycopy(args, 0, all, 3, args.length);
    return recorded.run(all);
  }

  private List<JsonNode> answers() throws IOException {
    return JSON.readerFor(JsonNode.class).<JsonNode>readValues(recorded.out()).readAll();
  }

  private Path file(String... lines) throws IOException {
    return Files.write(dir.resolve("requests.jsonl"), List.of(lines));
  }

  @Test
  void aRequestIsOneJsonObjectAndNothingElse() throws IOException {
    assertThat(run("generate", "--prompt", "Hello", "--max-tokens", "5", "--json")).isZero();

    assertThat(recorded.out().lines()).hasSize(1);
    assertThat(recorded.err()).isEmpty();
    JsonNode answer = answers().get(0);
    assertThat(answer.fieldNames())
        .toIterable()
        .containsExactly("id", "prompt_tokens", "tokens", "text", "finish_reason", "logprobs");
    assertThat(answer.get("id").asText()).isEqualTo("prompt");
    assertThat(answer.get("prompt_tokens")).hasSize(5);
    assertThat(answer.get("logprobs")).hasSameSizeAs(answer.get("tokens"));
    assertThat(answer.get("logprobs")).allMatch(logprob -> logprob.asDouble() <= 0);
    assertThat(answer.get("finish_reason").asText()).isIn("LENGTH", "STOP");
  }

  @Test
  void alternativesArePrintedIfRequested() throws IOException {
    assertThat(
            run(
                "generate",
                "--prompt",
                "Hello",
                "--max-tokens",
                "4",
                "--ignore-eos",
                "--logprobs",
                "2",
                "--repetition-penalty",
                "1.2",
                "--json"))
        .isZero();

    JsonNode answer = answers().get(0);
    assertThat(answer.get("top_logprobs")).hasSize(4).allMatch(top -> top.size() == 2);
    assertThat(answer.get("top_logprobs").get(0).get(0).fieldNames())
        .toIterable()
        .containsExactly("token_id", "logprob");
  }

  @Test
  void severalOutputsOfAPromptAreOneCompletion() throws IOException {
    String[] options = {
      "--prompt", "Hi", "--n", "2", "--temperature", "1", "--max-tokens", "4", "--json"
    };
    assertThat(run("generate", options)).isZero();

    JsonNode answer = answers().get(0);
    assertThat(answer.get("outputs")).hasSize(2);
    assertThat(answer.get("outputs").get(0).get("tokens")).isEqualTo(answer.get("tokens"));
    assertThat(answer.get("outputs").get(1).get("index").asInt()).isEqualTo(1);

    assertThat(run("generate", Arrays.copyOf(options, options.length - 1))).isZero();
    assertThat(recorded.out()).contains("== prompt 0\n").contains("== prompt 1\n");
  }

  @Test
  void aTextHasTheRequestedStructure() throws IOException {
    Path file =
        file(
            "{\"id\": \"a\", \"prompt\": \"p\", \"structured_outputs\": {\"regex\": \"[xy]{3}\"}}",
            "{\"id\": \"b\", \"prompt\": \"p\"}");

    run("generate", "--file", file.toString(), "--json", "--json-schema", "{\"enum\": [7, 8]}");

    assertThat(answers().get(0).get("text").asText()).matches("[xy]{3}");
    assertThat(answers().get(1).get("text").asText()).isIn("7", "8");
    assertThat(run("generate", "--prompt", "p", "--regex", "a(")).isNotZero();
    assertThat(recorded.err()).contains("structured_outputs.regex is invalid at position 1");
  }

  @Test
  void anInvalidPatternIsReportedWithItsLineAndTheOthersAreCompleted() throws IOException {
    Path file =
        file(
            "{\"id\": \"a\", \"prompt\": \"p\", \"structured_outputs\": {\"regex\": \"a(\"}}",
            "{\"id\": \"b\", \"prompt\": \"p\"}");

    assertThat(run("generate", "--file", file.toString(), "--json")).isEqualTo(1);

    assertThat(answers())
        .singleElement()
        .satisfies(b -> assertThat(b.get("id").asText()).isEqualTo("b"));
    assertThat(recorded.err())
        .contains(file + ":1: structured_outputs.regex is invalid at position 1");
  }

  @Test
  void aLineKeepsItsOwnParametersAndTakesTheOthersFromTheOptions() throws IOException {
    Path file =
        file(
            "{\"id\": \"a\", \"prompt\": \"p\", \"min_tokens\": 3, \"stop_token_ids\": [1, 2]}",
            "{\"id\": \"b\", \"prompt\": \"p\", \"min_p\": 2}",
            "{\"id\": \"c\", \"prompt\": \"p\", \"top_q\": 2}");

    assertThat(run("generate", "--file", file.toString(), "--json", "--min-p", "0.5")).isEqualTo(1);

    assertThat(answers()).hasSize(1);
    assertThat(answers().get(0).get("tokens").size()).isGreaterThanOrEqualTo(3);
    assertThat(recorded.err())
        .contains(":2: min_p is 2.0; it must be from 0 to 1")
        .contains(":3: ")
        .contains("unknown field \"top_q\"");
  }

  @Test
  void choicesAreAnsweredWithTheirProbabilities() throws IOException {
    Path file = file("{\"prompt\": \"a\"}", "{\"prompt\": \"a\", \"choices\": [\"x\", \"y,z\"]}");

    assertThat(run("generate", "--file", file.toString(), "--choices", " yes, no", "--json"))
        .isZero();

    JsonNode answer = answers().get(0);
    assertThat(answer.fieldNames())
        .toIterable()
        .endsWith("label", "label_probabilities", "label_margin", "label_entropy");
    assertThat(answer.get("finish_reason").asText()).isEqualTo("CHOICE");
    assertThat(answer.get("label_probabilities").fieldNames())
        .toIterable()
        .containsExactly(" yes", " no");
    assertThat(answer.get("label").asText()).isIn(" yes", " no");
    assertThat(answer.get("text")).isEqualTo(answer.get("label"));
    assertThat(answers().get(1).get("label_probabilities").fieldNames())
        .toIterable()
        .containsExactly("x", "y,z");
  }

  @Test
  void anUnknownChoicesMethodIsAOneLineError() {
    assertThat(run("generate", "--prompt", "x", "--choices=a,b", "--choices-method=best"))
        .isEqualTo(2);
    assertThat(recorded.err())
        .isEqualTo(
            "flinfer: choices_method is best; it must be one of token_length_normalized,"
                + " greedy_token_selection, unconditional_likelihood_normalized\n");
  }

  @Test
  void tokensAreThePromptThatTheyEncode() throws IOException {
    run("tokenize", "--text", "Hi!", "--json");
    String ids = recorded.out().strip();

    run("generate", "--prompt", "Hi!", "--json");
    run("generate", "--tokens", ids.substring(1, ids.length() - 1).replace(" ", ""), "--json");

    List<String> lines = recorded.out().lines().toList();
    assertThat(lines).hasSize(3);
    assertThat(lines.get(2)).isEqualTo(lines.get(1));
    assertThat(JSON.readTree(lines.get(1)).get("prompt_tokens").toString())
        .isEqualTo(ids.replace(" ", ""));
  }

  @Test
  void linesAreAnsweredInTheirOrderWithTheirOwnParameters() throws IOException {
    Path file =
        file(
            "{\"prompt\": \"one\", \"max_tokens\": 9}",
            "",
            "{\"id\": \"b\", \"prompt_token_ids\": [1, 2]}",
            "{\"prompt\": \"three\", \"temperature\": 0.9, \"seed\": 3}");

    assertThat(run("generate", "--file", file.toString(), "--max-tokens", "2", "--json")).isZero();

    assertThat(answers())
        .extracting(answer -> answer.get("id").asText())
        .containsExactly("line-1", "b", "line-4");
    assertThat(answers().get(0).get("tokens").size()).isGreaterThan(2);
    assertThat(answers().get(1).get("tokens")).hasSize(2);
    assertThat(answers().get(1).get("prompt_tokens").toString()).isEqualTo("[1,2]");
  }

  @Test
  void aBadLineIsNamedAndTheOthersAreAnswered() throws IOException {
    Path file =
        file(
            "{\"prompt\": \"one\"}",
            "{\"prompt\": ",
            "{\"prompt\": \"\"}",
            "{\"prompt\": \"x\", \"temperature\": NaN}",
            "{\"prompt\": \"x\", \"what\": 1}",
            "{\"prompt\": \"two\"}");

    assertThat(run("generate", "--file", file.toString(), "--json")).isEqualTo(1);

    assertThat(answers())
        .extracting(answer -> answer.get("id").asText())
        .containsExactly("line-1", "line-6");
    assertThat(recorded.err().lines().toList())
        .satisfiesExactly(
            line -> assertThat(line).startsWith("flinfer: " + file + ":2: "),
            line ->
                assertThat(line)
                    .isEqualTo(
                        "flinfer: "
                            + file
                            + ":3: prompt is empty; it must hold at least one token"),
            line ->
                assertThat(line)
                    .isEqualTo(
                        "flinfer: "
                            + file
                            + ":4: temperature is NaN; it must be a finite number, at least 0"),
            line -> assertThat(line).startsWith("flinfer: " + file + ":5: ").contains("what"));
  }

  @Test
  void moreLinesThanAreInFlightAreAllAnswered() throws IOException {
    int lines = Generator.MAX_IN_FLIGHT + 100;
    Path file = file(String.join("\n", Collections.nCopies(lines, "{\"prompt\": \"a\"}")));

    assertThat(run("generate", "--file", file.toString(), "--max-tokens", "1", "--json")).isZero();

    assertThat(recorded.out().lines()).hasSize(lines);
    assertThat(answers().get(lines - 1).get("id").asText()).isEqualTo("line-" + lines);
  }

  @Test
  void withoutJsonTheTextIsPrintedAsInJson() throws IOException {
    run("generate", "--prompt", "Hello", "--max-tokens", "12", "--json");
    String text = answers().get(0).get("text").asText();
    RecordedConsole streamed = new RecordedConsole();
    streamed.run(
        "generate", "--model", model.toString(), "--prompt", "Hello", "--max-tokens", "12");

    assertThat(streamed.out()).isEqualTo(text + "\n");
  }

  @Test
  void aPromptThatIsTooLongIsAOneLineError() {
    assertThat(run("generate", "--prompt", "x".repeat(100), "--json")).isEqualTo(2);
    assertThat(recorded.out()).isEmpty();
    assertThat(recorded.err().lines()).hasSize(1);
    assertThat(recorded.err()).startsWith("flinfer: prompt").contains("100", "64");
  }

  @Test
  void contradictingOptionsAreAOneLineError() {
    assertThat(
            run("generate", "--prompt", "x", "--max-num-seqs", "64", "--max-num-batched-tokens=8"))
        .isEqualTo(2);
    assertThat(recorded.err())
        .isEqualTo(
            "flinfer: --max-num-batched-tokens is 8; it must be at least --max-num-seqs, which is"
                + " 64\n");
  }

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

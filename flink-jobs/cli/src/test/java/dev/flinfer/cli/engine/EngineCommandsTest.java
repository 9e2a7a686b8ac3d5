package dev.flinfer.cli.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.flinfer.cli.RecordedConsole;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code generate} on a small random checkpoint. */
final class EngineCommandsTest extends EngineCommandsFixture {
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
}

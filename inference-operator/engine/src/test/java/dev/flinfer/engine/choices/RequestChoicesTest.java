package dev.flinfer.engine.choices;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.LlmEngine;
import dev.flinfer.engine.Requests;
import dev.flinfer.engine.TinyEngine;
import dev.flinfer.schema.CompletionRequest;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The checks of a request's labels before it is scheduled. */
final class RequestChoicesTest {
  private static final String MEAN = "token_length_normalized";

  @TempDir static Path directory;

  @BeforeAll
  static void write() {
    TinyEngine.write(directory);
  }

  @Test
  void rejectsLabelsThatCannotBeScored() throws Exception {
    try (LlmEngine engine = TinyEngine.open(directory, 4)) {
      refused(
          engine,
          request("p", List.of("a", ""), MEAN),
          "choices[1] is ''; a label must have at least one token");
      refused(
          engine,
          request("p", List.of("a", "b", "a"), MEAN),
          "choices has 'a' twice; labels must differ");
      refused(
          engine,
          request("p", List.of("a"), "fastest"),
          "choices_method is fastest; it must be one of token_length_normalized,"
              + " greedy_token_selection, unconditional_likelihood_normalized");
      List<String> many = IntStream.range(0, 1025).mapToObj(i -> "label " + i).toList();
      refused(
          engine,
          request("p", many, MEAN),
          "choices has 1025 labels; the maximum is 1024. Choose in two stages, groups of labels"
              + " first");
      refused(
          engine,
          request("x".repeat(86), List.of("a", "abcdefghijk"), MEAN),
          "choices[1] has 11 tokens, which with the prompt's 86 makes 97; max_model_len is 96."
              + " Shorten the label or the prompt");
      refused(
          engine,
          request("p", List.of("a", "b".repeat(10_000_000)), MEAN),
          "choices[1] has 10000000 characters, more than fit into the 95 tokens that the prompt's 1"
              + " leave of max_model_len, 96. Shorten the label or the prompt");
      List<String> longLabels =
          IntStream.range(1000, 2000).mapToObj(i -> "x".repeat(86) + i).toList();
      refused(
          engine,
          request("p", longLabels, MEAN),
          "the first 183 labels of choices have 16470 tokens; the maximum of all labels together is"
              + " 16384. Shorten the labels, or choose in two stages, groups of labels first");
      CompletionRequest hot = request("p", List.of("a", "b"), MEAN);
      hot.setTemperature(-1);
      refused(engine, hot, "temperature is -1.0; it must be a finite number, at least 0");
    }
  }

  private static CompletionRequest request(String prompt, List<String> labels, String method) {
    return Requests.greedy("id", prompt, 1).setChoices(labels).setChoicesMethod(method).build();
  }

  private static void refused(LlmEngine engine, CompletionRequest request, String message) {
    assertThatThrownBy(() -> Requests.submit(engine, request, GeneratedTokens.NONE))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessage(message);
  }
}

package dev.flinfer.engine.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.flinfer.engine.GeneratedTokens;
import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.Requests;
import dev.flinfer.schema.Completion;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.FinishReason;
import dev.flinfer.schema.StructuredOutputs;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Texts that must match a pattern, on a small random model, which would never match by chance. */
final class StructuredOutputsTest extends OneTinyEngine {
  @Test
  void theTextMatchesAndEndsWhereItCannotContinue() throws Exception {
    for (double temperature : List.of(0.0, 1.0, 5.0)) {
      for (int seed = 0; seed < 20; seed++) {
        Completion completion =
            get(regex("(yes|no|größe), \\d{3}").setTemperature(temperature).setSeed((long) seed));

        assertThat(completion.getText()).matches("(yes|no|größe), \\d{3}");
        assertThat(completion.getFinishReason()).isEqualTo(FinishReason.STOP);
      }
    }
  }

  @Test
  void theEndOfTextTokenComesOnlyWhereTheTextMatches() throws Exception {
    for (int seed = 0; seed < 40; seed++) {
      Completion completion = get(regex("(ab)+").setTemperature(3).setSeed((long) seed));

      assertThat(completion.getText()).matches("(ab)*a?");
      if (completion.getFinishReason() == FinishReason.STOP) {
        assertThat(completion.getText()).matches("(ab)+");
        assertThat(completion.getTokenIds()).endsWith(RandomCheckpoint.END_OF_TEXT);
      }
    }
  }

  @Test
  void allParametersApplyWithinThePattern() throws Exception {
    for (int seed = 0; seed < 40; seed++) {
      Completion completion =
          get(
              regex("[ab]{4}é{2}")
                  .setTemperature(2)
                  .setTopK(3)
                  .setTopP(0.9)
                  .setMinP(0.5)
                  .setRepetitionPenalty(1e300)
                  .setPresencePenalty(2)
                  .setN(2)
                  .setLogprobs(1)
                  .setSeed((long) seed));

      assertThat(completion.getText()).matches("[ab]{4}é{2}");
      assertThat(completion.getOutputs().get(1).getText()).matches("[ab]{4}é{2}");
      assertThat(completion.getLogprobs()).allMatch(Float::isFinite);
    }
  }

  @Test
  void aSchemaGivesValidJson() throws Exception {
    String schema =
        "{\"type\":\"object\",\"properties\":{\"label\":{\"enum\":[\"bug\",\"other\"]},"
            + "\"score\":{\"type\":\"integer\"},\"why\":{\"type\":\"string\",\"maxLength\":4}},"
            + "\"required\":[\"label\",\"score\",\"why\"]}";
    for (int seed = 0; seed < 20; seed++) {
      Completion completion =
          get(
              request()
                  .setStructuredOutputs(new StructuredOutputs(null, schema))
                  .setTemperature(1)
                  .setSeed((long) seed));

      assertThat(completion.getFinishReason()).isEqualTo(FinishReason.STOP);
      JsonNode json = new ObjectMapper().readTree(completion.getText());
      assertThat(json.get("label").asText()).isIn("bug", "other");
      assertThat(json.get("score").isIntegralNumber()).isTrue();
      assertThat(json.get("why").asText().codePointCount(0, json.get("why").asText().length()))
          .isLessThanOrEqualTo(4);
    }
  }

  @Test
  void aRestoredTextContinuesWhereItStopped() throws Exception {
    CompletionRequest request = regex("\\w{3} (\\d|é){4}").setTemperature(2).build();
    Completion whole = submit(request, GeneratedTokens.NONE);
    for (int done = 0; done <= whole.getCompletionTokens(); done++) {
      Completion resumed = submit(request, Requests.first(GeneratedTokens.of(whole), done));
      assertThat(resumed.getTokenIds()).isEqualTo(whole.getTokenIds());
      assertThat(resumed.getFinishReason()).isEqualTo(whole.getFinishReason());
    }
  }

  @Test
  void rejectsInvalidPatternsAndParameters() {
    refused(regex("a(b"), "structured_outputs.regex is invalid at position 1: '(' has no ')'");
    refused(
        regex(""),
        "structured_outputs.regex matches only the empty text; it must match at least one"
            + " character");
    refused(
        request().setStructuredOutputs(new StructuredOutputs(null, "{")),
        "structured_outputs.json is not JSON: ");
    refused(
        regex("(" + "|".repeat(18_900) + "){1000}{9}"),
        "structured_outputs.regex needs 170109010 transitions before it is made deterministic; the"
            + " limit is 1000000. Use fewer repetitions, or shorter parts");
    refused(
        request()
            .setStructuredOutputs(
                new StructuredOutputs(null, "{\"type\":\"number\",\"enum\":[\"a\"]}")),
        "structured_outputs.json is invalid at /enum: no value has the type [number], so none is"
            + " valid");
    refused(
        request().setStructuredOutputs(new StructuredOutputs(null, null)),
        "structured_outputs has none of regex and json; it must have one");
    refused(
        request().setStructuredOutputs(new StructuredOutputs("a", "{}")),
        "structured_outputs has both of regex and json; it must have one");
    refused(
        regex("a").setIgnoreEos(true),
        "ignore_eos is true; it must be false with structured_outputs, which decides when");
    refused(
        regex("a").setMinTokens(1),
        "min_tokens is 1; it must be 0 with structured_outputs, which decides when the text");
  }

  private static void refused(CompletionRequest.Builder request, String message) {
    assertThatThrownBy(() -> get(request))
        .isInstanceOf(InvalidRequestException.class)
        .hasMessageStartingWith(message);
  }

  private static CompletionRequest.Builder regex(String regex) {
    return request().setStructuredOutputs(new StructuredOutputs(regex, null));
  }

  private static CompletionRequest.Builder request() {
    return Requests.greedy("a", "some prompt", 80);
  }
}

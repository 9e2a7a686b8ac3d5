package dev.flinfer.schema;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The JSON that users see with console tools. */
class JsonWriterTest {
  @Test
  void membersAreNamedAsInTheSchemaAndNullsAreLeftOut() {
    assertThat(
            json(CompletionRequest.newBuilder().setId("a").setPrompt("x\n\"é\" 😀\u2028").build()))
        .isEqualTo(
            "{\"id\":\"a\",\"prompt\":\"x\\n\\\"é\\\" 😀\u2028\",\"max_tokens\":16,\"temperature\":1.0,"
                + "\"top_p\":1.0,\"top_k\":0,\"stop\":[],\"choices\":[],"
                + "\"choices_method\":\"token_length_normalized\",\"priority\":0,\"metadata\":{}}");
  }

  @Test
  void numbersThatJsonCannotHoldAreQuoted() {
    CompletionRequest request =
        CompletionRequest.newBuilder()
            .setTemperature(Double.NaN)
            .setTopP(Double.NEGATIVE_INFINITY)
            .build();

    assertThat(json(request)).contains("\"temperature\":\"NaN\",\"top_p\":\"-Infinity\"");
    CompletionRequest read =
        WireFormat.JSON.reader(CompletionRequest.class).read(json(request).getBytes(UTF_8));
    assertThat(read.getTemperature()).isNaN();
    assertThat(read.getTopP()).isEqualTo(Double.NEGATIVE_INFINITY);
  }

  @Test
  void unpairedSurrogatesAreReplaced() {
    CompletionRequest request =
        CompletionRequest.newBuilder()
            .setStop(List.of("\ud800", "a\udc00\ud83d\ude00\udc00"))
            .setMetadata(Map.of("\udfff", "\ud83d"))
            .build();

    assertThat(json(request))
        .contains("\"stop\":[\"\uFFFD\",\"a\uFFFD😀\uFFFD\"]")
        .contains("{\"\uFFFD\":\"\uFFFD\"}");
  }

  private static String json(CompletionRequest request) {
    return new String(WireFormat.JSON.writer(CompletionRequest.class).write(request), UTF_8);
  }
}

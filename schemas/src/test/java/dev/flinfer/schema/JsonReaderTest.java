package dev.flinfer.schema;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the JSON reader takes, and what it says to what it does not take. */
class JsonReaderTest {
  private static final String REQUEST_FIELDS =
      String.join(
          ", ",
          CompletionRequest.getClassSchema().getFields().stream().map(f -> f.name()).toList());

  private final WireFormat.Reader<CompletionRequest> requests =
      WireFormat.JSON.reader(CompletionRequest.class);

  @Test
  void missingFieldsHaveTheirDefaults() {
    CompletionRequest request = read("{\"prompt\": \"Once upon a time\"}");

    assertThat(request)
        .isEqualTo(CompletionRequest.newBuilder().setPrompt("Once upon a time").build());
    assertThat(request.getTemperature()).isEqualTo(1.0);
    assertThat(request.getMaxTokens()).isEqualTo(16);
  }

  @Test
  void defaultsAreNotSharedBetweenRecords() {
    read("{}").getMetadata().put("a", "b");
    read("{}").getStop().add("x");

    assertThat(read("{}").getMetadata()).isEmpty();
    assertThat(read("{}").getStop()).isEmpty();
  }

  /** As clients write it that serialize objects, and as vLLM takes it. */
  @Test
  void nullIsAbsentForEveryField() {
    for (Schema.Field field : CompletionRequest.getClassSchema().getFields()) {
      assertThat(read("{\"" + field.name() + "\": null}")).as(field.name()).isEqualTo(read("{}"));
    }
    assertThat(read("{\"structured_outputs\": {\"regex\": null, \"json\": \"{}\"}}"))
        .isEqualTo(read("{\"structured_outputs\": {\"json\": \"{}\"}}"));
    read("{\"stop\": null}").getStop().add("x");
    assertThat(read("{\"stop\": null}").getStop()).isEmpty();
  }

  @Test
  void nullIsNotAbsentWhereAValueIsRequired() {
    WireFormatException e =
        catchThrowableOfType(
            WireFormatException.class,
            () ->
                WireFormat.JSON
                    .reader(Completion.class)
                    .read("{\"id\": \"a\", \"text\": null}".getBytes(UTF_8)));
    assertThat(e).hasMessageEndingWith("field \"text\": null is not a string");
  }

  @Test
  void aByteOrderMarkIsSkipped() {
    assertThat(read("\uFEFF{\"prompt\": \"a\"}")).isEqualTo(read("{\"prompt\": \"a\"}"));
    WireFormatException e =
        catchThrowableOfType(WireFormatException.class, () -> read("\uFEFF{\"id\": \"a\", 7}"));
    assertThat(e).hasMessageContaining("it is not JSON at byte 15");
    assertThat(e.recordId()).isEqualTo("a");
    assertThat(read("{\"prompt\": \"\uFEFFa\"}").getPrompt()).isEqualTo("\uFEFFa");
  }

  @Test
  void everyFieldIsRead() {
    CompletionRequest request =
        read(
            " {\"id\": \"a\", \"prompt\": null, \"prompt_token_ids\": [1, 2], \"max_tokens\": 3,\n"
                + "\"temperature\": 0, \"top_p\": 5e-1, \"top_k\": -1, \"stop\": [\"\\n\","
                + " \"\\ud83d\\ude00\"], \"seed\": -9223372036854775808, \"logprobs\": 1,"
                + " \"choices\": [], \"deadline\": 1767225600000, \"metadata\": {\"k\": \"v\"}}\n");

    assertThat(request)
        .isEqualTo(
            CompletionRequest.newBuilder()
                .setId("a")
                .setPromptTokenIds(List.of(1, 2))
                .setMaxTokens(3)
                .setTemperature(0)
                .setTopP(0.5)
                .setTopK(-1)
                .setStop(List.of("\n", "😀"))
                .setSeed(Long.MIN_VALUE)
                .setLogprobs(1)
                .setDeadline(1767225600000L)
                .setMetadata(Map.of("k", "v"))
                .build());
  }

  @ParameterizedTest
  @CsvSource({
    "NaN, NaN",
    "Infinity, Infinity",
    "-Infinity, -Infinity",
    "\"NaN\", NaN",
    "\"Infinity\", Infinity",
    "\"-Infinity\", -Infinity",
    "1e999, Infinity",
    "1, 1",
    "1.0, 1",
    "1E2, 100",
    "12345678901234567890, 12345678901234567890"
  })
  void doublesMayBeAnyNumber(String json, double value) {
    assertThat(read("{\"temperature\": " + json + "}").getTemperature())
        .isEqualTo(Double.valueOf(value));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'max_tokens': 3.0}       | field 'max_tokens': 3.0 is not an integer from -2147483648 to 2147483647",
        "{'max_tokens': 2147483648}| field 'max_tokens': 2147483648 is not an integer from -2147483648 to 2147483647",
        "{'max_tokens': '3'}       | field 'max_tokens': '3' is not an integer from -2147483648 to 2147483647",
        "{'max_tokens': true}      | field 'max_tokens': true is not an integer from -2147483648 to 2147483647",
        "{'max_tokens': {'a': 1}}  | field 'max_tokens': an object is not an integer from -2147483648 to 2147483647",
        "{'seed': 9223372036854775808} | field 'seed': 9223372036854775808 is not an integer from -9223372036854775808 to 9223372036854775807",
        "{'temperature': '0.5'}    | field 'temperature': '0.5' is not a number",
        "{'temperature': false}    | field 'temperature': false is not a number",
        "{'prompt': 7}             | field 'prompt': 7 is not a string",
        "{'prompt': NaN}           | field 'prompt': NaN is not a string",
        "{'prompt': ['a']}         | field 'prompt': an array is not a string",
        "{'prompt_token_ids': 5}   | field 'prompt_token_ids': 5 is not an array",
        "{'prompt_token_ids': [1, 'x']} | field 'prompt_token_ids[1]': 'x' is not an integer from -2147483648 to 2147483647",
        "{'stop': 'x'}             | field 'stop': 'x' is not an array",
        "{'stop': [null]}          | field 'stop[0]': null is not a string",
        "{'metadata': []}          | field 'metadata': an array is not an object",
        "{'metadata': {'k': 1}}    | field 'metadata.k': 1 is not a string",
        "{'metadata': {'k': 'a', 'k': 'b'}} | field 'metadata': key 'k' is there twice",
        "{'max_tokens': 1, 'max_tokens': 1} | field 'max_tokens' is there twice",
        "{'prompt': '\\ud800x'}    | field 'prompt': '\\ud800x' is not text: unpaired surrogate at index 0; write a character beyond U+FFFF as itself or as two escapes",
        "{'metadata': {'\\udc00': ''}} | it is not JSON at byte 21: Unexpected low surrogate in field name: 0xdc00",
        "[]                        | an array is not an object",
        "'text'                    | 'text' is not an object",
        "null                      | null is not an object",
        "{} {}                     | the value continues after the object; it must hold exactly one object",
        "{}]                       | it is not JSON at byte 2: Unexpected close marker ']': no open Array to close",
        "{'prompt': 'x'            | it is not JSON at byte 14: Unexpected end-of-input: expected close marker for Object",
      })
  void whatDoesNotFitIsNamed(String json, String problem) {
    assertThat(error(json.replace('\'', '"')).getMessage().replace('"', '\''))
        .startsWith("not a CompletionRequest in JSON: " + problem);
  }

  @Test
  void unknownFieldsAreNamedWithTheKnownOnes() {
    assertThat(error("{\"promt\": \"x\"}"))
        .hasMessage(
            "not a CompletionRequest in JSON: unknown field \"promt\"; known: " + REQUEST_FIELDS);
  }

  @Test
  void missingFieldsWithoutDefaultAreNamed() {
    WireFormat.Reader<Header> headers = WireFormat.JSON.reader(Header.class);

    assertThat(error(headers, "{\"value\": \"AAECAw==\"}".getBytes(UTF_8)))
        .hasMessage(
            "not a Header in JSON: field \"name\" is missing and has no default; known: name, value");
    assertThat(headers.read("{\"name\":\"n\",\"value\":\"AAECAw==\"}".getBytes(UTF_8)).getValue())
        .isEqualTo(ByteBuffer.wrap(new byte[] {0, 1, 2, 3}));
  }

  @Test
  void nestedFieldsAreNamedByTheirPath() {
    WireFormat.Reader<SourceRecord> records = WireFormat.JSON.reader(SourceRecord.class);
    String json = "{\"headers\": [{\"name\": \"a\"}, {\"name\": \"b\", \"value\": \"***\"}]}";

    assertThat(error(records, json.getBytes(UTF_8)))
        .hasMessageStartingWith(
            "not a SourceRecord in JSON: field \"headers[1].value\": \"***\" is not base64: ");
  }

  @Test
  void enumsListTheirSymbols() {
    WireFormat.Reader<Completion> completions = WireFormat.JSON.reader(Completion.class);
    byte[] json = "{\"id\": \"7\", \"finish_reason\": \"DONE\"}".getBytes(UTF_8);

    assertThat(error(completions, json))
        .hasMessage(
            "not a Completion in JSON: field \"finish_reason\": \"DONE\" is not one of STOP, LENGTH,"
                + " CHOICE, DEADLINE, ERROR");
  }

  @ParameterizedTest
  @CsvSource({"é, 12, E9", "\u00C0\u0080, 12, C0", "\u00ED\u00A0\u0080, 12, ED"})
  void invalidUtf8IsNamed(String latin1, int at, String hex) {
    byte[] json = ("{\"prompt\": \"" + latin1 + "\"}").getBytes(ISO_8859_1);

    assertThat(error(requests, json))
        .hasMessage("not a CompletionRequest in JSON: byte " + at + " (" + hex + ") is not UTF-8");
  }

  @Test
  void anEmptyValueIsAnError() {
    assertThat(error("")).hasMessage("not a CompletionRequest in JSON: the value is empty");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "none",
      value = {
        "{'max_tokens': 'x', 'id': 'a1'}                | a1",
        "{'id': 'a1', 'nope': [[{'id': 'inner'}]]}      | a1",
        "{'nope': {'id': 'inner'}, 'id': 'a1'}          | a1",
        "{'id': 'a1', 'prompt': 'unterminated           | a1",
        "{'id': 7, 'max_tokens': 'x'}                   | none",
        "{'prompt': 'unterminated                       | none",
        "['id', 'a1']                                   | none",
      })
  void theIdIsFoundInABrokenRecord(String json, String id) {
    assertThat(error(json.replace('\'', '"')).recordId()).isEqualTo(id);
  }

  @Test
  void longPromptsPassAndDeepNestingDoesNot() {
    String prompt = "word ".repeat(2_000_000);

    assertThat(read("{\"prompt\": \"" + prompt + "\"}").getPrompt()).isEqualTo(prompt);
    assertThat(error("[".repeat(5_000)).getMessage()).endsWith("an array is not an object");
    assertThat(error("{\"stop\": " + "[".repeat(5_000)).getMessage())
        .endsWith("field \"stop[0]\": an array is not a string");
    assertThat(error("{\"max_tokens\": " + "9".repeat(5_000) + "}").getMessage())
        .contains("Number value length (5000) exceeds the maximum allowed (1000");
  }

  @Test
  void longValuesAreShortenedInErrors() {
    assertThat(error("{\"" + "x".repeat(100) + "\": 1}").getMessage())
        .contains("unknown field \"" + "x".repeat(60) + "\"... (100 characters); known: id");
  }

  private CompletionRequest read(String json) {
    return requests.read(json.getBytes(UTF_8));
  }

  private WireFormatException error(String json) {
    return error(requests, json.getBytes(UTF_8));
  }

  private static WireFormatException error(WireFormat.Reader<?> reader, byte[] bytes) {
    WireFormatException error =
        catchThrowableOfType(WireFormatException.class, () -> reader.read(bytes));
    assertThat(error).isNotNull();
    return error;
  }
}

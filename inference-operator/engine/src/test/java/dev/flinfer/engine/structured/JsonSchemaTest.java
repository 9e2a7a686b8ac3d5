package dev.flinfer.engine.structured;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class JsonSchemaTest {
  private static final String TICKET =
      """
      {"type": "object", "title": "Ticket", "additionalProperties": false,
       "properties": {
         "label": {"enum": ["bug", "how to?", "größe", 3, null]},
         "text": {"type": "string", "maxLength": 5},
         "urgent": {"type": "boolean"},
         "score": {"type": "number"},
         "tags": {"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 3}},
       "required": ["label", "urgent", "score", "tags"]}
      """;

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      value = {
        "{\"label\": \"bug\", \"text\": \"a\\\"é\", \"urgent\": true, \"score\": -1.5e3, \"tags\": [1]} ~ true",
        "{\"label\":\"how to?\",\"urgent\":false,\"score\":0,\"tags\":[1,-2, 30]} ~ true",
        "{\"label\":3,\"urgent\":false,\"score\":0,\"tags\":[1]} ~ true",
        "{\"label\":null,\"urgent\":false,\"score\":10,\"tags\":[1]} ~ true",
        "{\"label\":\"größe\",\"urgent\":false,\"score\":10,\"tags\":[1]} ~ true",
        "{\"label\":\"other\",\"urgent\":false,\"score\":0,\"tags\":[1]} ~ false",
        "{\"label\":\"bug\",\"urgent\":1,\"score\":0,\"tags\":[1]} ~ false",
        "{\"label\":\"bug\",\"urgent\":true,\"score\":01,\"tags\":[1]} ~ false",
        "{\"label\":\"bug\",\"urgent\":true,\"score\":0,\"tags\":[]} ~ false",
        "{\"label\":\"bug\",\"urgent\":true,\"score\":0,\"tags\":[1,2,3,4]} ~ false",
        "{\"label\":\"bug\",\"text\":\"longer\",\"urgent\":true,\"score\":0,\"tags\":[1]} ~ false",
        "{\"urgent\":true,\"label\":\"bug\",\"score\":0,\"tags\":[1]} ~ false",
        "{\"label\":\"bug\",\"urgent\":true,\"score\":0} ~ false",
      })
  void matchesValidJsonInTheOrderOfTheSchema(String json, boolean valid) {
    ByteAutomaton automaton = ByteAutomaton.ofRegex(JsonSchema.toRegex(TICKET));

    assertThat(ByteAutomatonTest.matches(automaton, json)).isEqualTo(valid);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      value = {
        "{} ~ true",
        "{\"a\":1} ~ true",
        "{\"b\":1} ~ true",
        "{\"a\":1, \"c\":1} ~ true",
        "{\"a\":1,\"b\":1,\"c\":1} ~ true",
        "{,\"b\":1} ~ false",
        "{\"a\":1,} ~ false",
        "{\"b\":1,\"a\":1} ~ false",
      })
  void commasAreOnlyBetweenMembers(String json, boolean valid) {
    String integer = "{\"type\": \"integer\"}";
    ByteAutomaton optional =
        ByteAutomaton.ofRegex(
            JsonSchema.toRegex(
                "{\"type\":\"object\",\"properties\":{\"a\":%s,\"b\":%s,\"c\":%s}}"
                    .formatted(integer, integer, integer)));

    assertThat(ByteAutomatonTest.matches(optional, json)).isEqualTo(valid);
  }

  @Test
  void matchesConstantsAlternativesAndNestedArrays() {
    assertMatches("{\"const\": \"a.b\"}", "\"a.b\"", "\"axb\"");
    assertMatches("{\"anyOf\": [{\"type\": \"null\"}, {\"type\": \"boolean\"}]}", "null", "nul");
    assertMatches(
        "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"type\":\"boolean\"}}}",
        "[[true, false],[]]",
        "[true]");
    assertMatches(
        "{\"type\": \"array\", \"items\": {\"type\": \"null\"}, \"maxItems\": 0}", "[]", "[null]");
    assertMatches("{\"type\": \"string\"}", "\"\\u00e9 \\n\"", "\"\n\"");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      value = {
        "{\"type\" ~ is not JSON: ",
        "[1] ~ is invalid at its root: a schema must be an object",
        "{} ~ is invalid at its root: type is \"\"; it must be one of object, array, string,",
        "{\"type\": \"string\", \"pattern\": \"a\"} ~ is invalid at its root: [pattern] is not supported here; supported keywords are [type, minLength, maxLength]",
        "{\"type\": \"object\", \"properties\": {\"a\": {\"$ref\": \"#\"}}} ~ is invalid at /properties/a: [$ref] is not supported",
        "{\"type\": \"object\", \"required\": [\"x\"]} ~ is invalid at /required: [x] is not among the properties",
        "{\"type\": \"array\"} ~ is invalid at its root: an array must have a schema in items",
        "{\"type\": \"array\", \"items\": {\"type\": \"null\"}, \"minItems\": 3, \"maxItems\": 2} ~ is invalid at its root: maxItems is 2; it must be at least minItems, which is 3",
        "{\"type\": \"string\", \"maxLength\": 1001} ~ is invalid at /maxLength: must be a whole number from 0 to 1000",
        "{\"enum\": []} ~ is invalid at /enum: must be a non-empty array",
        "{\"enum\": [[1]]} ~ is invalid at /enum/0: must be a string, a number, true, false or null",
      })
  void namesWhatIsInvalidOrNotSupported(String schema, String message) {
    assertThatThrownBy(() -> JsonSchema.toRegex(schema))
        .isInstanceOf(PatternException.class)
        .hasMessageStartingWith(message);
  }

  @Test
  void limitsDepth() {
    String open = "{\"type\": \"array\", \"items\": ";
    assertThatThrownBy(() -> JsonSchema.toRegex(open.repeat(40) + "{}" + "}".repeat(40)))
        .hasMessageContaining("schemas are nested deeper than 32");
  }

  private static void assertMatches(String schema, String valid, String invalid) {
    ByteAutomaton automaton = ByteAutomaton.ofRegex(JsonSchema.toRegex(schema));
    assertThat(ByteAutomatonTest.matches(automaton, valid)).as(valid).isTrue();
    assertThat(ByteAutomatonTest.matches(automaton, invalid)).as(invalid).isFalse();
  }
}

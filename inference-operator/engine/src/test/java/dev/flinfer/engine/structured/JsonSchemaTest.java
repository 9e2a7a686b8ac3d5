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
    ByteAutomaton automaton = ByteAutomaton.ofJsonSchema(TICKET);

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
        ByteAutomaton.ofJsonSchema(
            "{\"type\":\"object\",\"properties\":{\"a\":%s,\"b\":%s,\"c\":%s}}"
                .formatted(integer, integer, integer));

    assertThat(ByteAutomatonTest.matches(optional, json)).isEqualTo(valid);
  }

  @Test
  void takesConstantsAlternativesAndNestedArrays() {
    takes("{\"const\": \"a.b\"}", "\"a.b\"", "\"axb\"");
    takes("{\"anyOf\": [{\"type\": \"null\"}, {\"type\": \"boolean\"}]}", "null", "nul");
    takes(
        "{\"type\":\"array\",\"items\":{\"type\":\"array\",\"items\":{\"type\":\"boolean\"}}}",
        "[[true, false],[]]",
        "[true]");
    takes(
        "{\"type\": \"array\", \"items\": {\"type\": \"null\"}, \"maxItems\": 0}", "[]", "[null]");
    takes("{\"type\": \"string\"}", "\"\\u00e9 \\n\"", "\"\n\"");
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
        "{\"type\": \"string\", \"minLength\": 3, \"maxLength\": 2} ~ is invalid at its root: maxLength is 2; it must be at least minLength, which is 3",
        "{\"type\": \"boolean\"} and more ~ is not JSON: text follows the schema, which ends at position 19",
        "{\"type\": \"boolean\"}{\"type\": \"null\"} ~ is not JSON: text follows the schema, which ends at position 19",
        "{\"type\": \"boolean\"}] ~ is not JSON: text follows the schema, which ends at position 19",
        "{\"type\": \"string\", \"type\": \"integer\"} ~ is not JSON: Duplicate field 'type'",
        "{\"type\": \"object\", \"properties\": {\"a\": {}, \"a\": {}}} ~ is not JSON: Duplicate field 'a'",
        "{\"type\": \"object\", \"properties\": [1]} ~ is invalid at /properties: must be an object of schemas",
        "{\"type\": \"object\", \"additionalProperties\": 1} ~ is invalid at /additionalProperties: must be true, false or a schema",
        "{\"type\": \"object\", \"required\": \"a\"} ~ is invalid at /required: is \"a\"; it must be an array of strings",
        "{\"type\": \"object\", \"required\": true} ~ is invalid at /required: is true; it must be an array of strings",
        "{\"type\": \"object\", \"required\": {\"x\": \"a\"}} ~ is invalid at /required: is {\"x\":\"a\"}; it must be an array of strings",
        "{\"type\": \"object\", \"required\": null} ~ is invalid at /required: is null; it must be an array of strings",
        "{\"type\": \"object\", \"required\": [1]} ~ is invalid at /required: is [1]; it must be an array of strings",
        "{\"anyOf\": {\"a\": {\"type\": \"null\"}}} ~ is invalid at /anyOf: must be an array that is not empty",
        "{\"type\": [\"null\"]} ~ is invalid at its root: type is [\"null\"]; it must be one of object,",
        "{\"enum\": [1], \"type\": \"text\"} ~ is invalid at /type: is \"text\"; it must be one of [array, boolean, integer, null, number, object, string], or an array of them",
        "{\"enum\": [1], \"type\": []} ~ is invalid at /type: must not be empty",
        "{\"enum\": [\"a\", \"b\"], \"type\": \"number\"} ~ is invalid at /enum: no value has the type [number], so none is valid",
        "{\"const\": \"a\", \"type\": \"null\"} ~ is invalid at /const: \"a\" does not have the type [null], so no value is valid",
        "{\"const\": \"\\ud800\"} ~ is invalid at /const: \"\ud800\" has half a surrogate pair, which is not text",
        "{\"enum\": {\"a\": 1}} ~ is invalid at /enum: must be an array that is not empty",
        "{\"enum\": []} ~ is invalid at /enum: must be an array that is not empty",
        "{\"enum\": [[1]]} ~ is invalid at /enum/0: must be a string, a number, true, false or null",
      })
  void namesWhatIsInvalidOrNotSupported(String schema, String message) {
    assertThatThrownBy(() -> JsonSchema.parse(schema))
        .isInstanceOf(PatternException.class)
        .hasMessageStartingWith(message);
  }

  @Test
  void aTypeBesideEnumOrConstExcludesValues() {
    takes("{\"type\": \"string\", \"enum\": [\"a\", 1, null]}", "\"a\"", "1");
    takes("{\"type\": \"integer\", \"enum\": [\"1\", 2, 2.5]}", "2", "\"1\"");
    takes("{\"type\": \"integer\", \"enum\": [2, 3.0, 2.5]}", "3.0", "2.5");
    takes("{\"type\": [\"string\", \"null\"], \"enum\": [\"a\", null, 1]}", "null", "1");
    takes(
        "{\"type\":\"object\",\"properties\":{\"x\":{\"type\":\"string\",\"enum\":[\"a\",1]}},\"required\":[\"x\"]}",
        "{\"x\": \"a\"}",
        "{\"x\":1}");
  }

  @Test
  void numbersBeyondADoubleKeepTheirDigits() {
    takes("{\"const\": 1e400}", "1E+400", "\"Infinity\"");
    takes("{\"enum\": [1e400, 2]}", "2", "Infinity");
    takes(
        "{\"const\": 0.12345678901234567890123}",
        "0.12345678901234567890123",
        "0.12345678901234568");
    takes("{\"const\": 1.50}", "1.5", "1.50"); // as Java writes a double
    takes("{\"type\": \"integer\", \"const\": 1000e2147483647}", "1.000E+2147483650", "1");
  }

  @Test
  void halvesOfSurrogatePairsComeInPairsAndCountAsOne() {
    takes("{\"type\": \"string\"}", "\"\\ud83d\\uDE00\"", "\"\\ud83d\"");
    takes("{\"type\": \"string\"}", "\"\\ud7ff\\ue000\"", "\"\\ude00\"");
    takes("{\"type\": \"string\", \"minLength\": 2}", "\"\\ud83d\\ude00a\"", "\"\\ud83d\\ude00\"");
  }

  @Test
  void limitsDepth() {
    String open = "{\"type\": \"array\", \"items\": ";
    assertThatThrownBy(() -> JsonSchema.parse(open.repeat(40) + "{}" + "}".repeat(40)))
        .hasMessageContaining("schemas are nested deeper than 32");
  }

  private static void takes(String schema, String valid, String invalid) {
    ByteAutomaton automaton = ByteAutomaton.ofJsonSchema(schema);
    assertThat(ByteAutomatonTest.matches(automaton, valid)).as(valid).isTrue();
    assertThat(ByteAutomatonTest.matches(automaton, invalid)).as(invalid).isFalse();
  }
}

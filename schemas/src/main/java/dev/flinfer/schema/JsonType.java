package dev.flinfer.schema;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.List;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificData;

/** How values of one schema are read from JSON and written to it. Created once per schema. */
abstract class JsonType {
  /** What a value must be, with its article, for errors. */
  final String expected;

  JsonType(String expected) {
    this.expected = expected;
  }

  /**
   * Reads the value that starts at the parser's current token, up to its last token.
   *
   * @throws JsonMismatch if the value is well-formed and does not fit the schema
   */
  abstract Object read(JsonParser parser) throws IOException;

  abstract void write(Object value, JsonGenerator out) throws IOException;

  /** Reads the value of a field or key, whose name an error then carries. */
  final Object readAt(String name, JsonParser parser) throws IOException {
    try {
      return read(parser);
    } catch (JsonMismatch e) {
      throw e.inField(name);
    }
  }

  /** Checks the token that a value of this type starts with. */
  final void requireStart(JsonToken token, JsonParser parser) throws IOException {
    if (parser.currentToken() != token) {
      throw mismatch(parser);
    }
  }

  /** The error for a value that is not of this type. */
  final JsonMismatch mismatch(JsonParser parser) throws IOException {
    return JsonMismatch.of(describe(parser) + " is not " + expected);
  }

  private static String describe(JsonParser parser) throws IOException {
    JsonToken token = parser.currentToken();
    if (token == JsonToken.START_OBJECT) {
      return "an object";
    }
    if (token == JsonToken.START_ARRAY) {
      return "an array";
    }
    String text = parser.getText();
    return token == JsonToken.VALUE_STRING ? JsonMismatch.quote(text) : JsonMismatch.shorten(text);
  }

  /**
   * The type of a schema.
   *
   * @throws IllegalArgumentException for a schema that JSON records cannot have
   */
  static JsonType of(Schema schema, SpecificData model) {
    return switch (schema.getType()) {
      case RECORD -> new JsonRecord(schema, model);
      case ARRAY -> new JsonContainers.ArrayOf(of(schema.getElementType(), model));
      case MAP -> new JsonContainers.MapOf(of(schema.getValueType(), model));
      case UNION -> optional(schema, model);
      default -> new JsonScalar(schema, model);
    };
  }

  private static JsonType optional(Schema union, SpecificData model) {
    List<Schema> branches = union.getTypes();
    if (branches.size() != 2 || !union.isNullable()) {
      throw new IllegalArgumentException(
          "union " + union + " is not supported in JSON; it must be of null and one other type");
    }
    int value = branches.get(0).getType() == Schema.Type.NULL ? 1 : 0;
    return new JsonContainers.OrNull(of(branches.get(value), model));
  }
}

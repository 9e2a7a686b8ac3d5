package dev.flinfer.schema;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonParser.NumberType;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificData;

/**
 * The types without parts. Three tables give for each what a value must be, how it is read and how
 * it is written. The tables are switches because an object per type with a lambda for each column
 * made reading a request 2 % slower and writing one 4 %.
 */
final class JsonScalar extends JsonType {
  /** The numbers that JSON has no literal for, by the names that stand for them. */
  private static final Map<String, Double> NOT_FINITE =
      Map.of(
          "NaN", Double.NaN,
          "Infinity", Double.POSITIVE_INFINITY,
          "-Infinity", Double.NEGATIVE_INFINITY);

  private final Schema.Type type;
  private final Map<String, Object> bySymbol; // the constants of an enum; empty for other types

  /**
   * @throws IllegalArgumentException for a schema that JSON records cannot have
   */
  JsonScalar(Schema schema, SpecificData model) {
    super(expected(schema));
    this.type = schema.getType();
    this.bySymbol = new LinkedHashMap<>();
    if (type == Schema.Type.ENUM) {
      schema.getEnumSymbols().forEach(s -> bySymbol.put(s, model.createEnum(s, schema)));
    }
  }

  private static String expected(Schema schema) {
    return switch (schema.getType()) {
      case STRING -> "a string";
      case BYTES -> "a base64 string";
      case ENUM -> "one of " + String.join(", ", schema.getEnumSymbols());
      case BOOLEAN -> "true or false";
      case INT -> "an integer from " + Integer.MIN_VALUE + " to " + Integer.MAX_VALUE;
      case LONG -> "an integer from " + Long.MIN_VALUE + " to " + Long.MAX_VALUE;
      case FLOAT, DOUBLE -> "a number";
      default -> throw new IllegalArgumentException("schema " + schema + " has no JSON form here");
    };
  }

  @Override
  Object read(JsonParser parser) throws IOException {
    Object value = valueOrNull(parser, parser.currentToken());
    if (value == null) {
      throw mismatch(parser);
    }
    return value;
  }

  /** Returns null if the token is not a value of this type. */
  private Object valueOrNull(JsonParser parser, JsonToken token) throws IOException {
    boolean text = token == JsonToken.VALUE_STRING;
    boolean integer = token == JsonToken.VALUE_NUMBER_INT;
    return switch (type) {
      case STRING -> text ? Unicode.requirePaired(parser.getText()) : null;
      case BYTES -> text ? decodeBase64(parser) : null;
      case ENUM -> text ? bySymbol.get(parser.getText()) : null;
      case BOOLEAN -> token.isBoolean() ? token == JsonToken.VALUE_TRUE : null;
      case INT -> integer && parser.getNumberType() == NumberType.INT ? parser.getIntValue() : null;
      case LONG ->
          integer && parser.getNumberType() != NumberType.BIG_INTEGER
              ? parser.getLongValue()
              : null;
      case FLOAT ->
          token.isNumeric() ? parser.getFloatValue() : named(parser, text, Double::floatValue);
      case DOUBLE ->
          token.isNumeric() ? parser.getDoubleValue() : named(parser, text, number -> number);
      default -> throw new IllegalStateException("type " + type);
    };
  }

  @Override
  void write(Object value, JsonGenerator out) throws IOException {
    switch (type) {
      case STRING -> out.writeString(Unicode.replaceUnpaired(value.toString()));
      case BYTES -> out.writeBinary(remaining((ByteBuffer) value));
      case BOOLEAN -> out.writeBoolean((Boolean) value);
      case INT -> out.writeNumber((Integer) value);
      case LONG -> out.writeNumber((Long) value);
      case FLOAT -> out.writeNumber((Float) value);
      case DOUBLE -> out.writeNumber((Double) value);
      default -> out.writeString(value.toString());
    }
  }

  private static Object named(JsonParser parser, boolean text, Function<Double, Object> as)
      throws IOException {
    Double number = text ? NOT_FINITE.get(parser.getText()) : null;
    return number == null ? null : as.apply(number);
  }

  private static ByteBuffer decodeBase64(JsonParser parser) throws IOException {
    String text = parser.getText();
    try {
      return ByteBuffer.wrap(parser.getBinaryValue());
    } catch (JsonProcessingException e) {
      throw JsonMismatch.of(JsonMismatch.quote(text) + " is not base64: " + e.getOriginalMessage());
    }
  }

  private static byte[] remaining(ByteBuffer buffer) {
    byte[] bytes = new byte[buffer.remaining()];
    buffer.duplicate().get(bytes);
    return bytes;
  }
}

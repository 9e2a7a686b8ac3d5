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
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificData;

/** The types without parts. */
final class JsonScalars {
  private JsonScalars() {}

  static final JsonType STRING =
      new JsonType() {
        @Override
        String expected() {
          return "a string";
        }

        @Override
        Object read(JsonParser parser) throws IOException {
          if (parser.currentToken() != JsonToken.VALUE_STRING) {
            throw mismatch(parser);
          }
          return Unicode.requirePaired(parser.getText());
        }

        @Override
        void write(Object value, JsonGenerator out) throws IOException {
          out.writeString(Unicode.replaceUnpaired(value.toString()));
        }
      };

  static final JsonType BYTES =
      new JsonType() {
        @Override
        String expected() {
          return "a base64 string";
        }

        @Override
        Object read(JsonParser parser) throws IOException {
          if (parser.currentToken() != JsonToken.VALUE_STRING) {
            throw mismatch(parser);
          }
          String text = parser.getText();
          try {
            return ByteBuffer.wrap(parser.getBinaryValue());
          } catch (JsonProcessingException e) {
            throw JsonMismatch.of(
                JsonMismatch.quote(text) + " is not base64: " + e.getOriginalMessage());
          }
        }

        @Override
        void write(Object value, JsonGenerator out) throws IOException {
          ByteBuffer buffer = ((ByteBuffer) value).duplicate();
          byte[] bytes = new byte[buffer.remaining()];
          buffer.get(bytes);
          out.writeBinary(bytes);
        }
      };

  static final JsonType BOOLEAN =
      new JsonType() {
        @Override
        String expected() {
          return "true or false";
        }

        @Override
        Object read(JsonParser parser) throws IOException {
          JsonToken token = parser.currentToken();
          if (token != JsonToken.VALUE_TRUE && token != JsonToken.VALUE_FALSE) {
            throw mismatch(parser);
          }
          return token == JsonToken.VALUE_TRUE;
        }

        @Override
        void write(Object value, JsonGenerator out) throws IOException {
          out.writeBoolean((Boolean) value);
        }
      };

  static final JsonType INT =
      new JsonType() {
        @Override
        String expected() {
          return "an integer from " + Integer.MIN_VALUE + " to " + Integer.MAX_VALUE;
        }

        @Override
        Object read(JsonParser parser) throws IOException {
          if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT
              || parser.getNumberType() != NumberType.INT) {
            throw mismatch(parser);
          }
          return parser.getIntValue();
        }

        @Override
        void write(Object value, JsonGenerator out) throws IOException {
          out.writeNumber((Integer) value);
        }
      };

  static final JsonType LONG =
      new JsonType() {
        @Override
        String expected() {
          return "an integer from " + Long.MIN_VALUE + " to " + Long.MAX_VALUE;
        }

        @Override
        Object read(JsonParser parser) throws IOException {
          if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT
              || parser.getNumberType() == NumberType.BIG_INTEGER) {
            throw mismatch(parser);
          }
          return parser.getLongValue();
        }

        @Override
        void write(Object value, JsonGenerator out) throws IOException {
          out.writeNumber((Long) value);
        }
      };

  static final JsonType FLOAT =
      new Floating() {
        @Override
        Object number(JsonParser parser) throws IOException {
          return parser.getFloatValue();
        }

        @Override
        Object named(double notFinite) {
          return (float) notFinite;
        }

        @Override
        void write(Object value, JsonGenerator out) throws IOException {
          out.writeNumber((Float) value);
        }
      };

  static final JsonType DOUBLE =
      new Floating() {
        @Override
        Object number(JsonParser parser) throws IOException {
          return parser.getDoubleValue();
        }

        @Override
        Object named(double notFinite) {
          return notFinite;
        }

        @Override
        void write(Object value, JsonGenerator out) throws IOException {
          out.writeNumber((Double) value);
        }
      };

  /** Numbers, and the three that JSON has no literal for, by their names. */
  private abstract static class Floating extends JsonType {
    private static final Map<String, Double> NAMED =
        Map.of(
            "NaN", Double.NaN,
            "Infinity", Double.POSITIVE_INFINITY,
            "-Infinity", Double.NEGATIVE_INFINITY);

    abstract Object number(JsonParser parser) throws IOException;

    abstract Object named(double notFinite);

    @Override
    String expected() {
      return "a number";
    }

    @Override
    Object read(JsonParser parser) throws IOException {
      if (parser.currentToken().isNumeric()) {
        return number(parser);
      }
      Double named =
          parser.currentToken() == JsonToken.VALUE_STRING ? NAMED.get(parser.getText()) : null;
      if (named == null) {
        throw mismatch(parser);
      }
      return named(named);
    }
  }

  /** An enum, by its symbols. */
  static final class EnumOf extends JsonType {
    private final Map<String, Object> bySymbol = new LinkedHashMap<>();

    EnumOf(Schema schema, SpecificData model) {
      for (String symbol : schema.getEnumSymbols()) {
        bySymbol.put(symbol, model.createEnum(symbol, schema));
      }
    }

    @Override
    String expected() {
      return "one of " + String.join(", ", bySymbol.keySet());
    }

    @Override
    Object read(JsonParser parser) throws IOException {
      Object constant =
          parser.currentToken() == JsonToken.VALUE_STRING ? bySymbol.get(parser.getText()) : null;
      if (constant == null) {
        throw mismatch(parser);
      }
      return constant;
    }

    @Override
    void write(Object value, JsonGenerator out) throws IOException {
      out.writeString(value.toString());
    }
  }
}

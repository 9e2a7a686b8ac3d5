package dev.flinfer.schema;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Arrays, maps, and values that may be null. */
final class JsonContainers {
  private JsonContainers() {}

  /** A union of null and one type. */
  static final class OrNull extends JsonType {
    private final JsonType value;

    OrNull(JsonType value) {
      super(value.expected + " or null");
      this.value = value;
    }

    @Override
    Object read(JsonParser parser) throws IOException {
      return parser.currentToken() == JsonToken.VALUE_NULL ? null : value.read(parser);
    }

    @Override
    void write(Object written, JsonGenerator out) throws IOException {
      if (written == null) {
        out.writeNull();
      } else {
        value.write(written, out);
      }
    }
  }

  /** An array. */
  static final class ArrayOf extends JsonType {
    private final JsonType element;

    ArrayOf(JsonType element) {
      super("an array");
      this.element = element;
    }

    @Override
    Object read(JsonParser parser) throws IOException {
      requireStart(JsonToken.START_ARRAY, parser);
      List<Object> elements = new ArrayList<>();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        try {
          elements.add(element.read(parser));
        } catch (JsonMismatch e) {
          throw e.inElement(elements.size());
        }
      }
      return elements;
    }

    @Override
    void write(Object value, JsonGenerator out) throws IOException {
      out.writeStartArray();
      for (Object item : (List<?>) value) {
        element.write(item, out);
      }
      out.writeEndArray();
    }
  }

  /** A map with string keys, which keeps its order. */
  static final class MapOf extends JsonType {
    private final JsonType value;

    MapOf(JsonType value) {
      super("an object");
      this.value = value;
    }

    @Override
    Object read(JsonParser parser) throws IOException {
      requireStart(JsonToken.START_OBJECT, parser);
      Map<String, Object> entries = new LinkedHashMap<>();
      for (String key = parser.nextFieldName(); key != null; key = parser.nextFieldName()) {
        parser.nextToken();
        if (entries.containsKey(Unicode.requirePaired(key))) {
          throw JsonMismatch.of("key " + JsonMismatch.quote(key) + " is there twice");
        }
        entries.put(key, value.readAt(key, parser));
      }
      return entries;
    }

    @Override
    void write(Object entries, JsonGenerator out) throws IOException {
      out.writeStartObject();
      for (Map.Entry<?, ?> entry : ((Map<?, ?>) entries).entrySet()) {
        out.writeFieldName(Unicode.replaceUnpaired(entry.getKey().toString()));
        value.write(entry.getValue(), out);
      }
      out.writeEndObject();
    }
  }
}

package dev.flinfer.schema;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificRecordBase;

/** Reads a record from one JSON object. */
final class JsonReader<T extends SpecificRecordBase> implements WireFormat.Reader<T> {
  /** Jackson's limits apply: 20 million characters per string, 1,000 levels, 1,000 digits. */
  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          // UTF-8 is checked before parsing; detection of UTF-16 would bypass the check.
          .disable(JsonFactory.Feature.CHARSET_DETECTION)
          // Keys of maps come from outside: they must not fill the JVM's table of interned strings.
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .build();

  private final Class<T> type;
  private final JsonType shape;
  private final boolean hasId;

  JsonReader(Class<T> type) {
    Schema schema = WireFormat.model(type).getSchema(type);
    this.type = type;
    this.shape = JsonType.of(schema, WireFormat.model(type));
    this.hasId = schema.getField("id") != null;
  }

  @Override
  public T read(byte[] bytes) {
    if (bytes == null) {
      throw new WireFormatException(what() + "the value is null, a tombstone", null, null);
    }
    int invalid = Unicode.firstInvalidByte(bytes);
    if (invalid >= 0) {
      throw error(
          bytes, String.format("byte %d (%02X) is not UTF-8", invalid, bytes[invalid]), null);
    }
    try (JsonParser parser = parser(bytes)) {
      return readOnly(parser);
    } catch (JsonMismatch e) {
      throw error(bytes, e.getMessage(), e);
    } catch (JsonProcessingException e) {
      long at = e.getLocation() == null ? -1 : e.getLocation().getByteOffset();
      String where = at < 0 ? "" : " at byte " + (at + Unicode.afterMark(bytes));
      throw error(bytes, "it is not JSON" + where + ": " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A byte order mark at the head, as some editors write it, is no part of the JSON. */
  private static JsonParser parser(byte[] bytes) throws IOException {
    int start = Unicode.afterMark(bytes);
    return FACTORY.createParser(bytes, start, bytes.length - start);
  }

  private T readOnly(JsonParser parser) throws IOException {
    if (parser.nextToken() == null) {
      throw JsonMismatch.of("the value is empty");
    }
    T record = type.cast(shape.read(parser));
    if (parser.nextToken() != null) {
      throw JsonMismatch.of(
          "the value continues after the object; it must hold exactly one object");
    }
    return record;
  }

  private WireFormatException error(byte[] bytes, String problem, Throwable cause) {
    return new WireFormatException(what() + problem, hasId ? findId(bytes) : null, cause);
  }

  private String what() {
    return "not a " + type.getSimpleName() + " in JSON: ";
  }

  /**
   * Parses a second time, only after an error, so that reading need not continue after an error.
   */
  private static String findId(byte[] bytes) {
    try (JsonParser parser = parser(bytes)) {
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        return null;
      }
      for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
        JsonToken value = parser.nextToken();
        if (name.equals("id")) {
          return value == JsonToken.VALUE_STRING ? Unicode.replaceUnpaired(parser.getText()) : null;
        }
        parser.skipChildren();
      }
      return null;
    } catch (IOException e) {
      return null; // broken before the id
    }
  }
}

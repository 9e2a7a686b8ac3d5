package dev.flinfer.schema;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.SerializableString;
import com.fasterxml.jackson.core.io.SerializedString;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificRecord;

/** A record: its fields' names, types and defaults, looked up once. */
final class JsonRecord extends JsonType {
  private final Schema schema;
  private final SpecificData model;
  private final Class<?> type;
  private final Field[] fields; // (fields), by their position in the schema
  private final Map<String, Field> byName = new HashMap<>();

  /** A field of the record. */
  private record Field(
      Schema.Field schema, SerializableString name, JsonType type, Object initial) {
    int position() {
      return schema.pos();
    }
  }

  JsonRecord(Schema schema, SpecificData model) {
    super("an object");
    this.schema = schema;
    this.model = model;
    this.type = model.getClass(schema);
    this.fields = new Field[schema.getFields().size()];
    for (Schema.Field field : schema.getFields()) {
      Object initial = field.hasDefaultValue() ? model.getDefaultValue(field) : null;
      SerializedString name = new SerializedString(field.name());
      Field made = new Field(field, name, of(field.schema(), model), initial);
      fields[field.pos()] = made;
      byName.put(field.name(), made);
    }
  }

  @Override
  Object read(JsonParser parser) throws IOException {
    requireStart(JsonToken.START_OBJECT, parser);
    SpecificRecord record = (SpecificRecord) SpecificData.newInstance(type, schema);
    boolean[] seen = new boolean[fields.length];
    for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
      Field field = byName.get(name);
      if (field == null) {
        throw JsonMismatch.of("unknown field " + JsonMismatch.quote(name) + "; known: " + known());
      }
      if (seen[field.position()]) {
        throw JsonMismatch.of("field \"" + name + "\" is there twice");
      }
      seen[field.position()] = true;
      boolean isNull = parser.nextToken() == JsonToken.VALUE_NULL;
      // Clients that serialize objects write null for what is not set.
      boolean absent = isNull && field.schema.hasDefaultValue();
      record.put(field.position(), absent ? defaultOf(field) : field.type.readAt(name, parser));
    }
    for (Field field : fields) {
      if (!seen[field.position()]) {
        record.put(field.position(), defaultOf(field));
      }
    }
    return record;
  }

  private Object defaultOf(Field field) {
    if (!field.schema.hasDefaultValue()) {
      throw JsonMismatch.of(
          "field \"" + field.schema.name() + "\" is missing and has no default; known: " + known());
    }
    // Scalars are shared; lists and maps must not be, a caller may add to them.
    if (field.initial instanceof List<?> list && list.isEmpty()) {
      return new ArrayList<>();
    }
    if (field.initial instanceof Map<?, ?> map && map.isEmpty()) {
      return new LinkedHashMap<>();
    }
    boolean mutable = field.initial instanceof List || field.initial instanceof Map;
    return mutable ? model.deepCopy(field.schema.schema(), field.initial) : field.initial;
  }

  private String known() {
    List<String> names = schema.getFields().stream().map(Schema.Field::name).toList();
    return String.join(", ", names);
  }

  @Override
  void write(Object value, JsonGenerator out) throws IOException {
    SpecificRecord record = (SpecificRecord) value;
    out.writeStartObject();
    for (Field field : fields) {
      Object written = record.get(field.position());
      if (written != null) {
        out.writeFieldName(field.name);
        field.type.write(written, out);
      }
    }
    out.writeEndObject();
  }
}

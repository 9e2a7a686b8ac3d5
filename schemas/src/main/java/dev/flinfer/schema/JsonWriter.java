package dev.flinfer.schema;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.core.util.ByteArrayBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.avro.specific.SpecificRecordBase;

/** Writes a record as one JSON object. */
final class JsonWriter<T extends SpecificRecordBase> implements WireFormat.Writer<T> {
  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          // Otherwise an emoji would be written as two escapes.
          .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
          .build();

  private final JsonType shape;

  JsonWriter(Class<T> type) {
    this.shape = JsonType.of(WireFormat.model(type).getSchema(type), WireFormat.model(type));
  }

  @Override
  public byte[] write(T record) {
    try (ByteArrayBuilder bytes = new ByteArrayBuilder(FACTORY._getBufferRecycler())) {
      try (JsonGenerator out = FACTORY.createGenerator(bytes)) {
        shape.write(record, out);
      }
      return bytes.getClearAndRelease();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

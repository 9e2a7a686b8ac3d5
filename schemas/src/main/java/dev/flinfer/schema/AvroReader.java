package dev.flinfer.schema;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.DatumReader;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificRecordBase;

/**
 * Reads Avro's single-object encoding, from this and older versions of the schema.
 *
 * <p>Avro's own BinaryMessageDecoder ignores bytes after the record and throws exceptions of many
 * kinds on damaged bytes, so only the classes on which it builds are used.
 */
final class AvroReader<T extends SpecificRecordBase> implements WireFormat.Reader<T> {
  private final Class<T> type;
  private final Schema schema;
  private final Map<Long, DatumReader<T>> byFingerprint = new HashMap<>();

  /**
   * @param history schemas with which records may have been written, in addition to the current one
   */
  AvroReader(Class<T> type, List<Schema> history) {
    SpecificData model = StrictDatumReader.model(type);
    this.type = type;
    this.schema = model.getSchema(type);
    for (Schema older : history) {
      add(model, older);
    }
    add(model, schema);
  }

  private void add(SpecificData model, Schema writer) {
    DatumReader<T> reader = new StrictDatumReader<>(writer, schema, model);
    byFingerprint.put(SchemaNormalization.parsingFingerprint64(writer), reader);
  }

  @Override
  public T read(byte[] bytes) {
    DatumReader<T> reader = readerFor(bytes);
    BinaryDecoder decoder =
        DecoderFactory.get()
            .binaryDecoder(
                bytes, AvroWriter.HEADER_LENGTH, bytes.length - AvroWriter.HEADER_LENGTH, null);
    // Passed as the object to reuse, so that fields read before a damaged one are available.
    T record = type.cast(SpecificData.newInstance(type, schema));
    int rest;
    try {
      record = reader.read(record, decoder);
      rest = decoder.isEnd() ? 0 : decoder.inputStream().available();
    } catch (EOFException e) {
      throw error(
          record, "the record ends early; the value has only " + bytes.length + " bytes", e);
    } catch (IOException | RuntimeException e) {
      // Avro documents no exception type for damaged bytes: two million damaged records gave
      // AvroRuntimeException and UnsupportedOperationException. A bad record must never fail the
      // job, and none of our code runs inside.
      throw error(record, "the record is damaged: " + e.getMessage(), e);
    }
    if (rest > 0) {
      throw error(
          record, rest + " bytes follow the record; a value must hold exactly one record", null);
    }
    return record;
  }

  private DatumReader<T> readerFor(byte[] bytes) {
    if (bytes == null) {
      throw new WireFormatException(what() + "the value is null, a tombstone", null, null);
    }
    if (bytes.length < AvroWriter.HEADER_LENGTH
        || bytes[0] != AvroWriter.MARKER[0]
        || bytes[1] != AvroWriter.MARKER[1]) {
      throw new WireFormatException(what() + wrongStart(bytes), null, null);
    }
    ByteBuffer header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    long fingerprint = header.getLong(AvroWriter.MARKER.length);
    DatumReader<T> reader = byFingerprint.get(fingerprint);
    if (reader == null) {
      throw new WireFormatException(
          what()
              + String.format("the schema with fingerprint %016x is unknown", fingerprint)
              + "; the record is of another type or was written by a newer version of Flinfer",
          null,
          null);
    }
    return reader;
  }

  private static String wrongStart(byte[] bytes) {
    if (bytes.length >= 2 && bytes[0] == AvroWriter.MARKER[0] && bytes[1] == AvroWriter.MARKER[1]) {
      return "it has only " + bytes.length + " bytes; the marker and the fingerprint take 10";
    }
    StringBuilder start = new StringBuilder(bytes.length == 0 ? "it is empty" : "it starts with");
    for (int i = 0; i < Math.min(2, bytes.length); i++) {
      start.append(String.format(" %02X", bytes[i]));
    }
    start.append("; it must start with C3 01 and eight bytes of fingerprint");
    if (bytes.length > 0 && bytes[0] == '{') {
      start.append("; it looks like JSON: set the format to json");
    }
    return start.toString();
  }

  private WireFormatException error(T record, String problem, Throwable cause) {
    return new WireFormatException(what() + problem, idOf(record), cause);
  }

  private String what() {
    return "not a " + type.getSimpleName() + " in Avro's single-object encoding: ";
  }

  private String idOf(T record) {
    Schema.Field id = schema.getField("id");
    return id != null && record.get(id.pos()) instanceof String
        ? (String) record.get(id.pos())
        : null;
  }
}

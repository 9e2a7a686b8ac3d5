package dev.flinfer.schema;

import java.io.IOException;
import java.util.Arrays;
import org.apache.avro.Schema;
import org.apache.avro.io.Decoder;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificDatumReader;
import org.apache.avro.util.Utf8;

/**
 * Refuses strings that are not UTF-8. Avro replaces invalid bytes with U+FFFD, so a prompt that was
 * damaged in transit would be completed.
 */
final class StrictDatumReader<T> extends SpecificDatumReader<T> {

  /**
   * @param model from {@link #model}
   */
  StrictDatumReader(Schema writer, Schema reader, SpecificData model) {
    super(writer, reader, model);
  }

  /** As {@link WireFormat#model}, without Avro's fast reader, which bypasses this class. */
  static SpecificData model(Class<?> type) {
    SpecificData model = WireFormat.model(type);
    model.setFastReaderEnabled(false);
    model.setCustomCoders(false);
    return model;
  }

  @Override
  protected Object readString(Object old, Schema expected, Decoder in) throws IOException {
    Utf8 read = in.readString((Utf8) null);
    byte[] bytes = Arrays.copyOf(read.getBytes(), read.getByteLength());
    int invalid = Unicode.firstInvalidByte(bytes);
    if (invalid >= 0) {
      throw new IOException(
          String.format(
              "byte %d of a string of %d bytes (%02X) is not UTF-8",
              invalid, bytes.length, bytes[invalid]));
    }
    return read.toString();
  }
}

package dev.flinfer.schema;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.apache.avro.Schema;
import org.apache.avro.SchemaNormalization;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DatumWriter;
import org.apache.avro.io.EncoderFactory;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificRecordBase;

/** Writes Avro's single-object encoding. */
final class AvroWriter<T extends SpecificRecordBase> implements WireFormat.Writer<T> {
  /** The first two bytes of every record. */
  static final byte[] MARKER = {(byte) 0xC3, 0x01};

  /** The marker and the fingerprint. */
  static final int HEADER_LENGTH = MARKER.length + Long.BYTES;

  private final byte[] header; // (10,)
  private final DatumWriter<Object> datumWriter;

  AvroWriter(Class<T> type) {
    SpecificData model = WireFormat.model(type);
    Schema schema = model.getSchema(type);
    long fingerprint = SchemaNormalization.parsingFingerprint64(schema);
    ByteBuffer bytes = ByteBuffer.allocate(HEADER_LENGTH).order(ByteOrder.LITTLE_ENDIAN);
    this.header = bytes.put(MARKER).putLong(fingerprint).array();
    @SuppressWarnings("unchecked")
    DatumWriter<Object> writer = model.createDatumWriter(schema);
    this.datumWriter = writer;
  }

  @Override
  public byte[] write(T record) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(256);
    bytes.writeBytes(header);
    // Direct, because a buffered encoder would allocate 2 KiB for every record.
    BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(bytes, null);
    try {
      datumWriter.write(record, encoder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }
}

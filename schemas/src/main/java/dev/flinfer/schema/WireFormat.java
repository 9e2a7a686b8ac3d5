package dev.flinfer.schema;

import org.apache.avro.specific.SpecificRecordBase;

/** How a record is written as the value of a Kafka record. */
public enum WireFormat {
  /** Avro's single-object encoding: two marker bytes, the schema's fingerprint, the record. */
  AVRO,
  /** One JSON object, its members named as the schema's fields. */
  JSON;

  /** Reads a record's bytes. Thread-safe. */
  public interface Reader<T> {
    /**
     * @throws WireFormatException if the bytes are not a record of this type
     */
    T read(byte[] bytes);
  }

  /** Writes a record's bytes. Thread-safe. */
  public interface Writer<T> {
    byte[] write(T record);
  }

  /** A reader of this format for a generated record class. */
  public <T extends SpecificRecordBase> Reader<T> reader(Class<T> type) {
    throw new UnsupportedOperationException("being written: " + type);
  }

  /** A writer of this format for a generated record class. */
  public <T extends SpecificRecordBase> Writer<T> writer(Class<T> type) {
    throw new UnsupportedOperationException("being written: " + type);
  }
}

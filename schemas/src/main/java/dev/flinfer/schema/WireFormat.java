package dev.flinfer.schema;

import java.util.Locale;
import org.apache.avro.specific.SpecificData;
import org.apache.avro.specific.SpecificRecordBase;

/**
 * How a record is written as the value of a Kafka record.
 *
 * <pre>{@code
 * WireFormat.Writer<CompletionRequest> writer = WireFormat.JSON.writer(CompletionRequest.class);
 * WireFormat.Reader<Completion> reader = WireFormat.of("avro").reader(Completion.class);
 * }</pre>
 */
public enum WireFormat {
  /**
   * Avro's single-object encoding: the bytes C3 01, the 64-bit fingerprint of the schema (low byte
   * first), the record in Avro's binary encoding.
   *
   * <p>A reader knows the schemas of this and all earlier versions of Flinfer by their
   * fingerprints, and fills fields that an older schema lacks with their defaults. A string whose
   * bytes are not UTF-8 is an error.
   */
  AVRO {
    @Override
    <T extends SpecificRecordBase> Reader<T> newReader(Class<T> type) {
      return new AvroReader<>(type, SchemaHistory.of(type));
    }

    @Override
    <T extends SpecificRecordBase> Writer<T> newWriter(Class<T> type) {
      return new AvroWriter<>(type);
    }
  },

  /**
   * One JSON object in UTF-8 without line breaks, its members named as the schema's fields.
   *
   * <p>Reading: a member that is missing or null has the schema's default, if it has one; an
   * unknown or duplicate member or one of the wrong type or out of range is an error, as is
   * anything after the object. A byte order mark is skipped. Bytes are base64. {@code NaN}, {@code
   * Infinity} and {@code -Infinity} are read as numbers, with or without quotes, so that the check
   * of the value can name it. Writing: members that are null are left out; a number that is not
   * finite is written in quotes; an unpaired surrogate, which UTF-8 cannot hold, becomes U+FFFD.
   */
  JSON {
    @Override
    <T extends SpecificRecordBase> Reader<T> newReader(Class<T> type) {
      return new JsonReader<>(type);
    }

    @Override
    <T extends SpecificRecordBase> Writer<T> newWriter(Class<T> type) {
      return new JsonWriter<>(type);
    }
  };

  /** Reads a record's bytes. Thread-safe. */
  public interface Reader<T> {
    /**
     * Returns the record in the bytes.
     *
     * @throws WireFormatException if the bytes are not a record of this type
     */
    T read(byte[] bytes);
  }

  /** Writes a record's bytes. Thread-safe. */
  public interface Writer<T> {
    byte[] write(T record);
  }

  /**
   * The format with the given name, {@code avro} or {@code json}, in upper or lower case.
   *
   * @throws IllegalArgumentException if there is no such format
   */
  public static WireFormat of(String name) {
    for (WireFormat format : values()) {
      if (format.name().equalsIgnoreCase(name)) {
        return format;
      }
    }
    throw new IllegalArgumentException(
        "wire format \"" + name + "\" is not known; choose avro or json");
  }

  /** A reader of this format for a generated record class. Create it once and keep it. */
  public <T extends SpecificRecordBase> Reader<T> reader(Class<T> type) {
    AvroClasses.trust();
    return newReader(type);
  }

  /** A writer of this format for a generated record class. Create it once and keep it. */
  public <T extends SpecificRecordBase> Writer<T> writer(Class<T> type) {
    AvroClasses.trust();
    return newWriter(type);
  }

  /** The name that {@link #of} takes. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }

  abstract <T extends SpecificRecordBase> Reader<T> newReader(Class<T> type);

  abstract <T extends SpecificRecordBase> Writer<T> newWriter(Class<T> type);

  /**
   * Avro's view of a generated class. The class's own model is not used: it finds other generated
   * classes through Avro's class loader, which in Flink can differ from theirs.
   */
  static SpecificData model(Class<?> type) {
    return new SpecificData(type.getClassLoader());
  }
}

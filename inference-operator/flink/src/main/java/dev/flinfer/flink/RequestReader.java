package dev.flinfer.flink;

import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.RequestErrors;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.SourceRecord;
import dev.flinfer.schema.WireFormat;
import dev.flinfer.schema.WireFormatException;
import java.nio.ByteBuffer;

/** Reads the request in a record, and gives it an id if it has none. */
final class RequestReader {
  /** Whatever the outcome of a request, its id must fit into a record. */
  static final int MAX_ID_LENGTH = 1024;

  private final WireFormat.Reader<CompletionRequest> format;

  RequestReader(WireFormat.Reader<CompletionRequest> format) {
    this.format = format;
  }

  /**
   * @throws dev.flinfer.schema.WireFormatException if the record's value is not a request
   * @throws InvalidRequestException if its id is too long
   */
  CompletionRequest read(SourceRecord record) {
    CompletionRequest request = parse(record);
    if (request.getId() == null) {
      request.setId(place(record));
    }
    if (request.getId().length() > MAX_ID_LENGTH) {
      throw new InvalidRequestException(
          "id has %d characters; the maximum is %d. Put longer values into metadata"
              .formatted(request.getId().length(), MAX_ID_LENGTH));
    }
    return request;
  }

  /**
   * The id in the request, null if it has none.
   *
   * @throws dev.flinfer.schema.WireFormatException if the record's value is not a request
   */
  String givenId(SourceRecord record) {
    return parse(record).getId();
  }

  /** An id for a request without one, the same each time that the record is read. */
  static String place(SourceRecord record) {
    return record.getTopic() + "-" + record.getPartition() + "-" + record.getOffset();
  }

  private CompletionRequest parse(SourceRecord record) {
    return RequestErrors.confine(
        () -> format.read(bytes(record)),
        error ->
            new WireFormatException(
                "the record of %d bytes cannot be read: %s; it needs more memory than there is"
                    .formatted(record.getValue().remaining(), error),
                null,
                error));
  }

  private static byte[] bytes(SourceRecord record) {
    ByteBuffer value = record.getValue().duplicate(); // reading moves a buffer's position
    byte[] bytes = new byte[value.remaining()];
    value.get(bytes);
    return bytes;
  }
}

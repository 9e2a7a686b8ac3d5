package dev.flinfer.flink;

import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.SourceRecord;
import dev.flinfer.schema.WireFormat;
import java.nio.ByteBuffer;

/** Reads the request in a record, and gives it an id where it has none. */
final class RequestReader {
  /** Whatever becomes of a request, its id must fit in a record. */
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
          "id has %d characters; the most is %d. Put what is longer in metadata"
              .formatted(request.getId().length(), MAX_ID_LENGTH));
    }
    return request;
  }

  /**
   * The id that the request came with, null if with none.
   *
   * @throws dev.flinfer.schema.WireFormatException if the record's value is not a request
   */
  String givenId(SourceRecord record) {
    return parse(record).getId();
  }

  /** An id for a request without one: the same whenever it is read again. */
  static String place(SourceRecord record) {
    return record.getTopic() + "-" + record.getPartition() + "-" + record.getOffset();
  }

  private CompletionRequest parse(SourceRecord record) {
    ByteBuffer value = record.getValue().duplicate(); // reading it moves its position
    byte[] bytes = new byte[value.remaining()];
    value.get(bytes);
    return format.read(bytes);
  }
}

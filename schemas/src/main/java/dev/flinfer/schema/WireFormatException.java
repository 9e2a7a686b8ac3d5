package dev.flinfer.schema;

/** Bytes are not a record of the expected type and format. The message says what is wrong where. */
public final class WireFormatException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String recordId;

  /**
   * @param recordId the record's id where it could be read all the same, else null
   */
  public WireFormatException(String message, String recordId, Throwable cause) {
    super(message, cause);
    this.recordId = recordId;
  }

  /** The id of the record, or null where it is not known. */
  public String recordId() {
    return recordId;
  }
}

package dev.flinfer.schema;

/**
 * The bytes are not a record of the expected type and format. The message gives the error and its
 * place.
 */
public final class WireFormatException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final String recordId;

  /**
   * @param recordId the record's id if it could be read nevertheless, otherwise null
   */
  public WireFormatException(String message, String recordId, Throwable cause) {
    super(message, cause);
    this.recordId = recordId;
  }

  /** The id of the record, or null if it is unknown. */
  public String recordId() {
    return recordId;
  }
}

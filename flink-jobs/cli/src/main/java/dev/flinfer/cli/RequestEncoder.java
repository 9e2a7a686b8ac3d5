package dev.flinfer.cli;

import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.WireFormat;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;

/** Encodes lines as records of the input topic. */
public final class RequestEncoder {

  /** A record to be written; the key may be null. */
  @SuppressWarnings("ArrayRecordComponent") // handed to Kafka, never compared
  public record Encoded(byte[] key, byte[] value) {}

  private final WireFormat format;
  private final WireFormat.Writer<CompletionRequest> writer;
  private final String key;
  private final Function<String, CompletionRequest> ofText;

  /**
   * @param key key of every record; null uses the request's id
   * @param ofText creates a request from a line that is not JSON
   */
  public RequestEncoder(WireFormat format, String key, Function<String, CompletionRequest> ofText) {
    this.format = format;
    this.writer = format.writer(CompletionRequest.class);
    this.key = key;
    this.ofText = ofText;
  }

  /**
   * @throws dev.flinfer.schema.WireFormatException if the line is JSON but not a request
   */
  public Encoded encode(String line) {
    if (!line.stripLeading().startsWith("{")) {
      CompletionRequest request = ofText.apply(line);
      return new Encoded(key(request), writer.write(request));
    }
    CompletionRequest request = RequestLine.parse(line).request();
    // JSON is sent unchanged, so that a console consumer shows what was in the file.
    byte[] value =
        format == WireFormat.JSON ? line.getBytes(StandardCharsets.UTF_8) : writer.write(request);
    return new Encoded(key(request), value);
  }

  private byte[] key(CompletionRequest request) {
    String text = key == null ? request.getId() : key;
    return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
  }
}

package dev.flinfer.cli;

import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.WireFormat;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;

/** Lines as the records of the input topic. */
public final class RequestEncoder {

  /** A record to be written; the key may be null. */
  @SuppressWarnings("ArrayRecordComponent") // handed to Kafka, never compared
  public record Encoded(byte[] key, byte[] value) {}

  private final WireFormat format;
  private final WireFormat.Writer<CompletionRequest> writer;
  private final String key;
  private final Function<String, CompletionRequest> ofText;

  /**
   * @param key of every record; null takes the request's id
   * @param ofText makes a request of a line that is not JSON
   */
  public RequestEncoder(WireFormat format, String key, Function<String, CompletionRequest> ofText) {
    this.format = format;
    this.writer = format.writer(CompletionRequest.class);
    this.key = key;
    this.ofText = ofText;
  }

  /**
   * @throws dev.flinfer.schema.WireFormatException if the line is JSON and not a request
   */
  public Encoded encode(String line) {
    if (!line.stripLeading().startsWith("{")) {
      CompletionRequest request = ofText.apply(line);
      return new Encoded(key(request), writer.write(request));
    }
    CompletionRequest request = RequestLine.parse(line).request();
    // JSON goes on as it came, so that what a console shows is what was in the file.
    byte[] value =
        format == WireFormat.JSON ? line.getBytes(StandardCharsets.UTF_8) : writer.write(request);
    return new Encoded(key(request), value);
  }

  private byte[] key(CompletionRequest request) {
    String text = key == null ? request.getId() : key;
    return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
  }
}

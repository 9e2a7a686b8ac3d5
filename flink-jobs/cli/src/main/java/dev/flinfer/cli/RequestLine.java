package dev.flinfer.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.flinfer.schema.CompletionRequest;
import dev.flinfer.schema.WireFormat;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;

/**
 * A request that is parsed from a line of JSON.
 *
 * @param request the request, with the record's defaults for members that the line lacks
 * @param present names of the members in the line that are not null
 */
public record RequestLine(CompletionRequest request, Set<String> present) {
  // As lenient as the wire format, which leaves NaN to the code that checks the value.
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();
  private static final WireFormat.Reader<CompletionRequest> READER =
      WireFormat.JSON.reader(CompletionRequest.class);

  /**
   * @throws dev.flinfer.schema.WireFormatException if it is not a request; the message gives the
   *     reason
   */
  public static RequestLine parse(String line) {
    CompletionRequest request = READER.read(line.getBytes(StandardCharsets.UTF_8));
    return new RequestLine(request, memberNames(line));
  }

  private static Set<String> memberNames(String line) {
    Set<String> names = new HashSet<>();
    try {
      JsonNode object = JSON.readTree(line);
      object.properties().stream()
          .filter(member -> !member.getValue().isNull())
          .forEach(member -> names.add(member.getKey()));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(
          "The wire format accepts a line that Jackson rejects: " + line, e);
    }
    return names;
  }
}

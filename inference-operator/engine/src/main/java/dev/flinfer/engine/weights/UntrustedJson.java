package dev.flinfer.engine.weights;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Parses the JSON in a model's files. Bounds its size, its nesting and, through Jackson, the length
 * of its numbers.
 */
public final class UntrustedJson {
  /** A header with Phi-2's names takes 0.05 MB, the largest tokenizers about 10 MB. */
  public static final int MAX_BYTES = 16 << 20;

  private static final int MAX_NESTING = 64;

  private static final ObjectMapper JSON =
      new ObjectMapper(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(MAX_NESTING).build())
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  private UntrustedJson() {}

  /**
   * Reads a file that must hold one JSON object.
   *
   * @throws WeightFileException if it does not, or is too large
   */
  public static JsonNode read(Path file) {
    // Reading a pipe or a device might never end.
    if (!Files.isRegularFile(file)) {
      throw new WeightFileException(file, "is not a regular file");
    }
    try {
      long size = Files.size(file);
      if (size > MAX_BYTES) {
        throw new WeightFileException(
            file, "has %d bytes; the limit for JSON is %d".formatted(size, MAX_BYTES));
      }
      return parse(file, Files.readAllBytes(file));
    } catch (IOException e) {
      throw new WeightFileException(file, "cannot be read: " + e, e);
    }
  }

  /** Parses one JSON object; the file that it was read from is for messages. */
  static JsonNode parse(Path file, byte[] json) {
    try {
      JsonNode node = JSON.readTree(json);
      if (!node.isObject()) {
        throw new WeightFileException(file, "does not hold a JSON object, as it must");
      }
      return node;
    } catch (JsonProcessingException e) {
      throw new WeightFileException(file, "invalid JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) { // bytes that are not valid in the encoding that they begin with
      throw new WeightFileException(file, "invalid JSON: " + e.getMessage(), e);
    }
  }

  /** Whether a setting is null, false, zero, empty or missing, and so has no effect. */
  public static boolean isOff(JsonNode setting) {
    return setting.isMissingNode()
        || setting.isNull()
        || (setting.isBoolean() && !setting.booleanValue())
        || (setting.isNumber() && setting.doubleValue() == 0)
        || (setting.isValueNode() && setting.asText().isEmpty())
        || (setting.isContainerNode() && setting.isEmpty());
  }

  /** A value as it is in the file, shortened for a message. */
  public static String show(Object value) {
    String text = value.toString();
    return text.length() <= 60 ? text : text.substring(0, 60) + "...";
  }
}

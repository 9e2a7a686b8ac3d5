package dev.flinfer.engine.structured;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Reads a schema's JSON within limits. Numbers keep their digits. */
final class SchemaReader {
  /** A schema that needs more states than there may be is far shorter, titles included. */
  static final int MAX_LENGTH = 200_000;

  /** A schema in a schema takes two levels; examples may take more. */
  private static final int MAX_NESTING = 200;

  /** Names are neither interned nor kept in a table, as they come from outside. */
  private static final ObjectMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                  .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(MAX_NESTING).build())
                  .build())
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES) // exponents could overflow
          .build();

  private SchemaReader() {}

  static JsonNode read(String schema) {
    if (schema.length() > MAX_LENGTH) {
      throw new PatternException(
          "has %d characters; the limit is %d, so leave out descriptions or ask for less at once"
              .formatted(schema.length(), MAX_LENGTH));
    }
    try (JsonParser parser = JSON.createParser(schema)) {
      JsonNode node = JSON.readTree(parser);
      long end = parser.currentLocation().getCharOffset();
      if (!schema.substring((int) end).isBlank()) {
        throw new PatternException(
            "is not JSON: text follows the schema, which ends at position " + end);
      }
      return node == null ? MissingNode.getInstance() : node;
    } catch (StreamConstraintsException e) {
      throw new PatternException(
          "exceeds a limit for JSON: " + SchemaPlace.show(e.getOriginalMessage()));
    } catch (JsonProcessingException e) {
      throw new PatternException("is not JSON: " + SchemaPlace.show(e.getOriginalMessage()));
    } catch (NumberFormatException e) { // not wrapped by Jackson
      throw new PatternException(
          "exceeds a limit for JSON: the exponent of a number has more than 32 bits");
    } catch (IOException e) {
      throw new UncheckedIOException(e); // a text in memory is always readable
    }
  }
}

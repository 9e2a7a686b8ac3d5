package dev.flinfer.engine.sampling;

import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.structured.JsonSchema;
import dev.flinfer.engine.structured.PatternException;
import dev.flinfer.schema.StructuredOutputs;

/**
 * A regular expression that a generated text must match.
 *
 * @param field the field of the request that gives it
 * @param regex the expression, given or converted from a JSON schema
 */
public record TextPattern(String field, String regex) {
  private static final String NAME = "structured_outputs";

  /**
   * Returns the pattern of a request.
   *
   * @throws InvalidRequestException if both or neither of regex and json are given, or one is
   *     invalid
   */
  static TextPattern of(StructuredOutputs outputs) {
    if ((outputs.getRegex() == null) == (outputs.getJson() == null)) {
      throw new InvalidRequestException(
          "%s has %s of regex and json; it must have one"
              .formatted(NAME, outputs.getRegex() == null ? "none" : "both"));
    }
    if (outputs.getRegex() != null) {
      return new TextPattern(NAME + ".regex", outputs.getRegex());
    }
    String field = NAME + ".json";
    try {
      return new TextPattern(field, JsonSchema.toRegex(outputs.getJson()));
    } catch (PatternException e) {
      throw new InvalidRequestException(field + " " + e.getMessage());
    }
  }
}

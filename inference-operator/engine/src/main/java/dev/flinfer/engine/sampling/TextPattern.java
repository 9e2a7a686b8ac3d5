package dev.flinfer.engine.sampling;

import dev.flinfer.engine.InvalidRequestException;
import dev.flinfer.engine.structured.ByteAutomaton;
import dev.flinfer.schema.StructuredOutputs;

/**
 * What a generated text must match, not yet compiled.
 *
 * @param form how it is given
 * @param text a regular expression or a JSON schema
 */
public record TextPattern(Form form, String text) {
  private static final String NAME = "structured_outputs";

  /** The form of a pattern, named as the field of the request that gives it. */
  public enum Form {
    REGEX,
    JSON
  }

  /**
   * Returns the pattern of a request.
   *
   * @throws InvalidRequestException if both or neither of regex and json are given
   */
  static TextPattern of(StructuredOutputs outputs) {
    if ((outputs.getRegex() == null) == (outputs.getJson() == null)) {
      throw new InvalidRequestException(
          "%s has %s of regex and json; it must have one"
              .formatted(NAME, outputs.getRegex() == null ? "none" : "both"));
    }
    return outputs.getRegex() != null
        ? new TextPattern(Form.REGEX, outputs.getRegex())
        : new TextPattern(Form.JSON, outputs.getJson());
  }

  /** The field of the request that gives it. */
  String field() {
    return NAME + (form == Form.REGEX ? ".regex" : ".json");
  }

  /** Compiles it, which takes up to some tenths of a second. */
  ByteAutomaton compile() {
    return form == Form.REGEX ? ByteAutomaton.ofRegex(text) : ByteAutomaton.ofJsonSchema(text);
  }
}

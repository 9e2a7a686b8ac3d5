package dev.flinfer.engine.structured;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Parses a subset of JSON Schema. Every text that the pattern matches is valid under the schema and
 * has one form: properties in the order of the schema, none that it does not name, at most one
 * space after a comma or a colon.
 */
final class JsonSchema {
  private static final int MAX_DEPTH = 32;

  /** Keywords that do not change which texts are valid here. */
  private static final Set<String> IGNORED =
      Set.of(
          "$schema", "$id", "title", "description", "default", "examples", "additionalProperties");

  private static final Set<String> ENUM = ordered("enum", "type");
  private static final Set<String> CONST = ordered("const", "type");
  private static final Set<String> ANY_OF = ordered("anyOf");
  private static final Set<String> STRING = ordered("type", "minLength", "maxLength");
  private static final Set<String> OBJECT = ordered("type", "properties", "required");
  private static final Set<String> ARRAY = ordered("type", "items", "minItems", "maxItems");
  private static final Set<String> SCALAR = ordered("type");

  private JsonSchema() {}

  /**
   * The pattern of a schema.
   *
   * @param schema as JSON
   * @throws PatternException naming the place of what is invalid or not supported
   */
  static Node parse(String schema) {
    return value(SchemaReader.read(schema), SchemaPlace.ROOT, 0);
  }

  private static Node value(JsonNode schema, SchemaPlace place, int depth) {
    if (depth > MAX_DEPTH) {
      throw place.error("schemas are nested deeper than " + MAX_DEPTH);
    }
    if (!schema.isObject()) {
      throw place.error("a schema must be an object");
    }
    JsonNode additional = schema.path("additionalProperties");
    if (!additional.isMissingNode() && !additional.isBoolean() && !additional.isObject()) {
      throw place.at("additionalProperties").error("must be true, false or a schema");
    }
    if (schema.has("enum")) {
      requireKeywords(schema, place, ENUM);
      return SchemaValues.ofEnum(schema, place);
    }
    if (schema.has("const")) {
      requireKeywords(schema, place, CONST);
      return SchemaValues.ofConst(schema, place);
    }
    if (schema.has("anyOf")) {
      requireKeywords(schema, place, ANY_OF);
      return anyOf(schema.get("anyOf"), place.at("anyOf"), depth);
    }
    return typed(schema, place, depth);
  }

  private static Node typed(JsonNode schema, SchemaPlace place, int depth) {
    JsonNode type = schema.path("type");
    switch (type.isTextual() ? type.textValue() : "") {
      case "string":
        requireKeywords(schema, place, STRING);
        return string(schema, place);
      case "object":
        requireKeywords(schema, place, OBJECT);
        return object(schema, place, depth);
      case "array":
        requireKeywords(schema, place, ARRAY);
        return array(schema, place, depth);
      default:
        requireKeywords(schema, place, SCALAR);
        return scalar(type, place);
    }
  }

  private static Node scalar(JsonNode type, SchemaPlace place) {
    return switch (type.isTextual() ? type.textValue() : "") {
      case "number" -> JsonTexts.NUMBER;
      case "integer" -> JsonTexts.INTEGER;
      case "boolean" -> JsonTexts.BOOLEAN;
      case "null" -> JsonTexts.NULL;
      default ->
          throw place.error(
              "type is %s; it must be one of object, array, string, number, integer, boolean, null, or there must be enum, const or anyOf"
                  .formatted(type.isMissingNode() ? "\"\"" : SchemaPlace.show(type)));
    };
  }

  private static Node string(JsonNode schema, SchemaPlace place) {
    int min = number(schema, "minLength", 0, place);
    int max = number(schema, "maxLength", Node.UNLIMITED, place);
    if (max != Node.UNLIMITED && max < min) {
      throw place.error(
          "maxLength is %d; it must be at least minLength, which is %d".formatted(max, min));
    }
    return JsonTexts.string(min, max);
  }

  private static Node object(JsonNode schema, SchemaPlace place, int depth) {
    JsonNode properties = schema.path("properties");
    if (!properties.isMissingNode() && !properties.isObject()) {
      throw place.at("properties").error("must be an object of schemas");
    }
    Set<String> required = required(schema.path("required"), place.at("required"));
    List<Node> parts = new ArrayList<>();
    List<Boolean> optional = new ArrayList<>();
    for (Map.Entry<String, JsonNode> property : properties.properties()) {
      String name = property.getKey();
      SchemaPlace at = place.at("properties").at(name);
      if (JsonTexts.hasLoneSurrogate(name)) {
        throw at.error("the name has half a surrogate pair, which is not text");
      }
      Node value = value(property.getValue(), at, depth + 1);
      parts.add(Node.concat(Literal.of(JsonTexts.quote(name)), JsonTexts.COLON, value));
      optional.add(!required.remove(name));
    }
    if (!required.isEmpty()) {
      String names = SchemaPlace.show(new TreeSet<>(required));
      throw place.at("required").error(names + " is not among the properties");
    }
    return Node.concat(Literal.of("{"), Members.of(parts, optional), Literal.of("}"));
  }

  private static Set<String> required(JsonNode names, SchemaPlace place) {
    Set<String> required = new HashSet<>();
    if (names.isMissingNode()) {
      return required;
    }
    boolean valid = names.isArray();
    for (JsonNode name : names) {
      valid &= name.isTextual();
      required.add(name.asText());
    }
    if (!valid) {
      throw place.error("is %s; it must be an array of strings".formatted(SchemaPlace.show(names)));
    }
    return required;
  }

  private static Node array(JsonNode schema, SchemaPlace place, int depth) {
    if (!schema.has("items")) {
      throw place.error("an array must have a schema in items");
    }
    Node item = value(schema.get("items"), place.at("items"), depth + 1);
    int min = number(schema, "minItems", 0, place);
    int max = number(schema, "maxItems", Node.UNLIMITED, place);
    if (max != Node.UNLIMITED && max < min) {
      throw place.error(
          "maxItems is %d; it must be at least minItems, which is %d".formatted(max, min));
    }
    Node items = max == 0 ? Node.NOTHING : Items.of(item, min, max);
    return Node.concat(Literal.of("["), items, Literal.of("]"));
  }

  private static Node anyOf(JsonNode schemas, SchemaPlace place, int depth) {
    if (!schemas.isArray() || schemas.isEmpty()) {
      throw place.error("must be an array that is not empty");
    }
    List<Node> parts = new ArrayList<>();
    for (JsonNode schema : schemas) {
      parts.add(value(schema, place.at(Integer.toString(parts.size())), depth + 1));
    }
    return Node.union(parts);
  }

  private static int number(JsonNode schema, String keyword, int otherwise, SchemaPlace place) {
    JsonNode value = schema.get(keyword);
    if (value != null
        && (!value.isInt() || value.intValue() < 0 || value.intValue() > RegexParser.MAX_REPEAT)) {
      throw place.at(keyword).error("must be a whole number from 0 to " + RegexParser.MAX_REPEAT);
    }
    return value == null ? otherwise : value.intValue();
  }

  /** A keyword that is not understood would otherwise be ignored silently. */
  private static void requireKeywords(JsonNode schema, SchemaPlace place, Set<String> known) {
    Set<String> unknown = new TreeSet<>();
    schema.fieldNames().forEachRemaining(unknown::add);
    unknown.removeAll(IGNORED);
    unknown.removeAll(known);
    if (!unknown.isEmpty()) {
      throw place.error(
          "%s is not supported here; supported keywords are %s"
              .formatted(SchemaPlace.show(unknown), known));
    }
  }

  /** Set.of has no order, and a message lists the keywords. */
  private static Set<String> ordered(String... keywords) {
    return new LinkedHashSet<>(List.of(keywords));
  }
}

package dev.flinfer.engine.structured;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * Converts a subset of JSON Schema to a regular expression. A text that matches is valid and has a
 * fixed form: properties in the order of the schema and no others, at most one space after a comma
 * or a colon.
 */
public final class JsonSchema {
  static final int MAX_DEPTH = 32;

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Keywords that do not affect what is valid, or that the fixed form already satisfies. */
  private static final Set<String> IGNORED =
      Set.of(
          "$schema", "$id", "title", "description", "default", "examples", "additionalProperties");

  private static final String COMMA = ", ?";
  private static final String CHARACTER =
      "([^\"\\\\\\x00-\\x1f]|\\\\[\"\\\\/bfnrt]|\\\\u[0-9a-fA-F]{4})";

  /** No more digits than a long or a double holds: a model must not continue them indefinitely. */
  private static final String INTEGER = "-?(0|[1-9][0-9]{0,17})";

  private static final String NUMBER = INTEGER + "(\\.[0-9]{1,17})?([eE][+-]?[0-9]{1,3})?";

  private JsonSchema() {}

  /**
   * Returns the regular expression of a schema.
   *
   * @param schema the schema as JSON
   * @throws PatternException naming the place that is invalid or not supported
   */
  public static String toRegex(String schema) {
    try {
      return value(JSON.readTree(schema), "", 0);
    } catch (JsonProcessingException e) {
      throw new PatternException("is not JSON: " + e.getOriginalMessage());
    }
  }

  private static String value(JsonNode schema, String path, int depth) {
    if (depth > MAX_DEPTH) {
      throw error(path, "schemas are nested deeper than " + MAX_DEPTH);
    }
    if (!schema.isObject()) {
      throw error(path, "a schema must be an object");
    }
    if (schema.has("enum")) {
      requireKeywords(schema, path, "enum", "type");
      return literals(schema.get("enum"), path + "/enum");
    }
    if (schema.has("const")) {
      requireKeywords(schema, path, "const", "type");
      return literal(schema.get("const"), path + "/const");
    }
    if (schema.has("anyOf")) {
      requireKeywords(schema, path, "anyOf");
      return anyOf(schema.get("anyOf"), path + "/anyOf", depth);
    }
    String type = schema.path("type").asText("");
    switch (type) {
      case "string":
        requireKeywords(schema, path, "type", "minLength", "maxLength");
        return '"' + CHARACTER + bounds(schema, "minLength", "maxLength", path) + '"';
      case "object":
        requireKeywords(schema, path, "type", "properties", "required");
        return object(schema, path, depth);
      case "array":
        requireKeywords(schema, path, "type", "items", "minItems", "maxItems");
        return array(schema, path, depth);
      default:
        requireKeywords(schema, path, "type");
        return scalar(type, path);
    }
  }

  private static String scalar(String type, String path) {
    return switch (type) {
      case "number" -> NUMBER;
      case "integer" -> INTEGER;
      case "boolean" -> "(true|false)";
      case "null" -> "null";
      default ->
          throw error(
              path,
              "type is \"%s\"; it must be one of object, array, string, number, integer, boolean, null, unless the schema has enum, const or anyOf"
                  .formatted(type));
    };
  }

  private static String object(JsonNode schema, String path, int depth) {
    JsonNode properties = schema.path("properties");
    Set<String> required = new HashSet<>();
    schema.path("required").forEach(name -> required.add(name.asText()));
    List<String> parts = new ArrayList<>();
    List<Boolean> optional = new ArrayList<>();
    for (Map.Entry<String, JsonNode> property : properties.properties()) {
      String name = property.getKey();
      String value = value(property.getValue(), path + "/properties/" + name, depth + 1);
      parts.add(quote(JSON.valueToTree(name).toString()) + ": ?" + value);
      optional.add(!required.remove(name));
    }
    if (!required.isEmpty()) {
      throw error(path + "/required", new TreeSet<>(required) + " is not among the properties");
    }
    return "\\{" + members(parts, optional) + "\\}";
  }

  /** Places commas between the members that are present, whichever those are. */
  private static String members(List<String> parts, List<Boolean> optional) {
    int anchor = optional.indexOf(false); // the first that is always present
    if (anchor < 0) {
      List<String> byFirst = new ArrayList<>();
      for (int first = 0; first < parts.size(); first++) {
        byFirst.add(parts.get(first) + following(parts, optional, first + 1));
      }
      return byFirst.isEmpty() ? "" : "(" + String.join("|", byFirst) + ")?";
    }
    StringBuilder members = new StringBuilder();
    for (int i = 0; i < anchor; i++) {
      members.append('(').append(parts.get(i)).append(COMMA).append(")?");
    }
    return members.append(parts.get(anchor)) + following(parts, optional, anchor + 1);
  }

  private static String following(List<String> parts, List<Boolean> optional, int from) {
    StringBuilder members = new StringBuilder();
    for (int i = from; i < parts.size(); i++) {
      members.append('(').append(COMMA).append(parts.get(i)).append(')');
      members.append(optional.get(i) ? "?" : "");
    }
    return members.toString();
  }

  private static String array(JsonNode schema, String path, int depth) {
    if (!schema.has("items")) {
      throw error(path, "an array must have a schema in items");
    }
    String item = value(schema.get("items"), path + "/items", depth + 1);
    int min = number(schema, "minItems", 0, path);
    int max = number(schema, "maxItems", Integer.MAX_VALUE, path);
    if (max < min) {
      throw error(
          path, "maxItems is %d; it must be at least minItems, which is %d".formatted(max, min));
    }
    if (max == 0) {
      return "\\[\\]";
    }
    String most = max == Integer.MAX_VALUE ? "" : Integer.toString(max - 1);
    String items = "%s(%s%s){%d,%s}".formatted(item, COMMA, item, Math.max(0, min - 1), most);
    return min == 0 ? "\\[(" + items + ")?\\]" : "\\[" + items + "\\]";
  }

  private static String anyOf(JsonNode schemas, String path, int depth) {
    List<String> parts = new ArrayList<>();
    for (JsonNode schema : schemas) {
      parts.add(value(schema, path + "/" + parts.size(), depth + 1));
    }
    return union(parts, path);
  }

  private static String literals(JsonNode values, String path) {
    List<String> parts = new ArrayList<>();
    for (JsonNode value : values) {
      parts.add(literal(value, path + "/" + parts.size()));
    }
    return union(parts, path);
  }

  private static String union(List<String> parts, String path) {
    if (parts.isEmpty()) {
      throw error(path, "must be a non-empty array");
    }
    return "(" + String.join("|", parts) + ")";
  }

  private static String literal(JsonNode value, String path) {
    if (value.isContainerNode()) {
      throw error(path, "must be a string, a number, true, false or null");
    }
    return quote(value.toString());
  }

  private static String bounds(JsonNode schema, String least, String most, String path) {
    int min = number(schema, least, 0, path);
    int max = number(schema, most, Integer.MAX_VALUE, path);
    return "{%d,%s}".formatted(min, max == Integer.MAX_VALUE ? "" : Integer.toString(max));
  }

  private static int number(JsonNode schema, String keyword, int otherwise, String path) {
    JsonNode value = schema.get(keyword);
    if (value != null
        && (!value.isInt() || value.intValue() < 0 || value.intValue() > RegexParser.MAX_REPEAT)) {
      throw error(
          path + "/" + keyword, "must be a whole number from 0 to " + RegexParser.MAX_REPEAT);
    }
    return value == null ? otherwise : value.intValue();
  }

  /** Rejects unknown keywords, which would otherwise be violated silently. */
  private static void requireKeywords(JsonNode schema, String path, String... known) {
    Set<String> unknown = new TreeSet<>();
    schema.fieldNames().forEachRemaining(unknown::add);
    unknown.removeAll(IGNORED);
    List.of(known).forEach(unknown::remove);
    if (!unknown.isEmpty()) {
      throw error(
          path,
          "%s is not supported here; supported keywords are %s".formatted(unknown, List.of(known)));
    }
  }

  private static String quote(String text) {
    StringBuilder quoted = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              if (RegexParser.META.indexOf(c) >= 0) {
                quoted.append('\\');
              }
              quoted.appendCodePoint(c);
            });
    return quoted.toString();
  }

  private static PatternException error(String path, String problem) {
    return new PatternException(
        "is invalid at %s: %s".formatted(path.isEmpty() ? "its root" : path, problem));
  }
}

package dev.flinfer.engine.structured;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** The values that {@code enum} and {@code const} allow. */
final class SchemaValues {
  private static final Set<String> TYPES =
      Set.of("object", "array", "string", "number", "integer", "boolean", "null");

  private SchemaValues() {}

  static Node ofEnum(JsonNode schema, SchemaPlace place) {
    JsonNode values = schema.get("enum");
    if (!values.isArray() || values.isEmpty()) {
      throw place.at("enum").error("must be an array that is not empty");
    }
    Set<String> types = types(schema, place);
    List<Node> valid = new ArrayList<>();
    for (int i = 0; i < values.size(); i++) {
      Node literal = literal(values.get(i), place.at("enum").at(Integer.toString(i)));
      if (isOf(types, values.get(i))) {
        valid.add(literal);
      }
    }
    if (valid.isEmpty()) {
      throw place.at("enum").error("no value has the type %s, so none is valid".formatted(types));
    }
    return Node.union(valid);
  }

  static Node ofConst(JsonNode schema, SchemaPlace place) {
    JsonNode value = schema.get("const");
    Node literal = literal(value, place.at("const"));
    Set<String> types = types(schema, place);
    if (!isOf(types, value)) {
      throw place
          .at("const")
          .error(
              "%s does not have the type %s, so no value is valid"
                  .formatted(SchemaPlace.show(value), types));
    }
    return literal;
  }

  /** The names in {@code type}, of which a value has one. */
  private static Set<String> types(JsonNode schema, SchemaPlace place) {
    JsonNode type = schema.get("type");
    if (type == null) {
      return TYPES;
    }
    Set<String> names = new TreeSet<>();
    for (JsonNode name : type.isArray() ? type : List.of(type)) {
      if (!name.isTextual() || !TYPES.contains(name.textValue())) {
        throw place
            .at("type")
            .error(
                "is %s; it must be one of %s, or an array of them"
                    .formatted(SchemaPlace.show(type), new TreeSet<>(TYPES)));
      }
      names.add(name.textValue());
    }
    if (names.isEmpty()) {
      throw place.at("type").error("must not be empty");
    }
    return names;
  }

  private static boolean isOf(Set<String> types, JsonNode value) {
    return switch (value.getNodeType()) {
      case STRING -> types.contains("string");
      case BOOLEAN -> types.contains("boolean");
      case NULL -> types.contains("null");
      default -> types.contains("number") || (types.contains("integer") && isWhole(value));
    };
  }

  private static boolean isWhole(JsonNode number) {
    // Without a fraction there are no zeros to strip, and the exponent cannot overflow.
    BigDecimal value = number.decimalValue();
    return value.scale() <= 0 || value.stripTrailingZeros().scale() <= 0;
  }

  private static Node literal(JsonNode value, SchemaPlace place) {
    if (value.isContainerNode()) {
      throw place.error("must be a string, a number, true, false or null");
    }
    if (value.isTextual() && JsonTexts.hasLoneSurrogate(value.textValue())) {
      throw place.error(
          "%s has half a surrogate pair, which is not text".formatted(SchemaPlace.show(value)));
    }
    return Literal.of(value.isBigDecimal() ? decimal(value.decimalValue()) : value.toString());
  }

  /** As a double where that is the same number, otherwise with all digits. */
  private static String decimal(BigDecimal value) {
    double rounded = value.doubleValue();
    boolean same =
        Double.isFinite(rounded) && new BigDecimal(Double.toString(rounded)).compareTo(value) == 0;
    return same ? DoubleNode.valueOf(rounded).toString() : value.toString();
  }
}

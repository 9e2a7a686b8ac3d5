package dev.flinfer.engine.structured;

/**
 * A place in a schema, for messages: written only when one is needed, because names may be long.
 *
 * @param outer null at the root
 */
record SchemaPlace(SchemaPlace outer, String name) {
  static final SchemaPlace ROOT = new SchemaPlace(null, "");

  private static final int MAX_SHOWN = 200;

  SchemaPlace at(String inner) {
    return new SchemaPlace(this, inner);
  }

  PatternException error(String problem) {
    String place = toString();
    return new PatternException(
        "is invalid at %s: %s".formatted(place.isEmpty() ? "its root" : place, problem));
  }

  @Override
  public String toString() {
    return outer == null ? "" : outer + "/" + show(name);
  }

  /** A value as it is in the schema, shortened for a message. */
  static String show(Object value) {
    String text = value.toString();
    return text.length() <= MAX_SHOWN ? text : text.substring(0, MAX_SHOWN) + "...";
  }
}

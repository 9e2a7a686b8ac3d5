package dev.flinfer.schema;

import java.io.Serial;

/** JSON that is well-formed but does not fit the schema. Collects the path to the place. */
final class JsonMismatch extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  /** Enough to recognize a value, too little to fill a log. */
  private static final int MAX_VALUE_CHARS = 60;

  private final String path;
  private final String problem;

  private JsonMismatch(String path, String problem) {
    super(problem, null, false, false);
    this.path = path;
    this.problem = problem;
  }

  /** A mismatch at the current place. */
  static JsonMismatch of(String problem) {
    return new JsonMismatch("", problem);
  }

  /** This mismatch with the path from the enclosing record. */
  JsonMismatch inField(String field) {
    return in(field);
  }

  /** This mismatch with the path from the enclosing array. */
  JsonMismatch inElement(int index) {
    return in("[" + index + "]");
  }

  private JsonMismatch in(String outer) {
    String dot = path.isEmpty() || path.startsWith("[") ? "" : ".";
    return new JsonMismatch(outer + dot + path, problem);
  }

  @Override
  public String getMessage() {
    return path.isEmpty() ? problem : "field \"" + path + "\": " + problem;
  }

  /** Text for a message: in quotes, with control characters and surrogates escaped, shortened. */
  static String quote(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (int i = 0; i < Math.min(text.length(), MAX_VALUE_CHARS); i++) {
      char c = text.charAt(i);
      if (Character.isISOControl(c) || Character.isSurrogate(c)) {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    return out.append('"') + lengthIfCut(text);
  }

  /** A number or a name for a message, shortened. */
  static String shorten(String text) {
    return text.substring(0, Math.min(text.length(), MAX_VALUE_CHARS)) + lengthIfCut(text);
  }

  private static String lengthIfCut(String text) {
    return text.length() <= MAX_VALUE_CHARS ? "" : "... (" + text.length() + " characters)";
  }
}

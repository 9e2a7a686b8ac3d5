package dev.flinfer.schema;

import java.io.Serial;

/** JSON that is well-formed and does not fit the schema. Gathers the path to the place. */
final class JsonMismatch extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  /** Enough to recognise a value by, too little to fill a log. */
  private static final int MAX_VALUE_CHARS = 60;

  private final String path;
  private final String problem;

  private JsonMismatch(String path, String problem) {
    super(problem, null, false, false);
    this.path = path;
    this.problem = problem;
  }

  /** The value here is not what it should be. */
  static JsonMismatch of(String problem) {
    return new JsonMismatch("", problem);
  }

  /** The same, seen from the record around it. */
  JsonMismatch inField(String field) {
    return in(field);
  }

  /** The same, seen from the array around it. */
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

  /** Text for a message: in quotes, what cannot be seen escaped, not too long. */
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

  /** A number or a name for a message: not too long. */
  static String shorten(String text) {
    return text.substring(0, Math.min(text.length(), MAX_VALUE_CHARS)) + lengthIfCut(text);
  }

  private static String lengthIfCut(String text) {
    return text.length() <= MAX_VALUE_CHARS ? "" : "... (" + text.length() + " characters)";
  }
}

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
    return new JsonMismatch(
        path.isEmpty() || path.startsWith("[") ? field + path : field + "." + path, problem);
  }

  /** The same, seen from the array around it. */
  JsonMismatch inElement(int index) {
    String at = "[" + index + "]";
    return new JsonMismatch(
        path.isEmpty() || path.startsWith("[") ? at + path : at + "." + path, problem);
  }

  @Override
  public String getMessage() {
    return path.isEmpty() ? problem : "field \"" + path + "\": " + problem;
  }

  /** A value for a message: in quotes, control characters escaped, not too long. */
  static String quote(String value) {
    StringBuilder out = new StringBuilder("\"");
    int shown = Math.min(value.length(), MAX_VALUE_CHARS);
    for (int i = 0; i < shown; i++) {
      char c = value.charAt(i);
      if (Character.isISOControl(c) || Character.isSurrogate(c)) {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    out.append('"');
    return value.length() <= shown
        ? out.toString()
        : out + "... (" + value.length() + " characters)";
  }
}

package dev.flinfer.cli.soak;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Requests that are hard to read, to compile or to compute, each within or beyond a limit. They are
 * JSON; {@code ID} is in the place of the id.
 */
final class SoakRecords {
  static final String ID = "@id@";

  private static final String REQUEST =
      "{\"id\": \"" + ID + "\", \"prompt\": \"Ticket:\", \"max_tokens\": 12, \"seed\": 5, %s}";

  private SoakRecords() {}

  /** Returns the requests by a short name. */
  static Map<String, String> all() {
    Map<String, String> all = new LinkedHashMap<>();
    patterns(all);
    schemas(all);
    all.put("16 outputs", with("\"n\": 16"));
    all.put("50 labels", with("\"choices\": [" + list(50, "\" label %d\"") + "]"));
    all.put("10 stop strings", with("\"stop\": [" + list(10, "\"stop %d\"") + "]"));
    all.put("20 alternatives", with("\"logprobs\": 20"));
    all.put("a number for a list", with("\"stop\": 3"));
    all.put("an unknown field", with("\"tokens\": 3"));
    all.put("a prompt that is a number", "{\"id\": \"" + ID + "\", \"prompt\": 7}");
    all.put("a list", "[\"" + ID + "\", {\"prompt\": \"a\"}]");
    all.put("10,000 brackets", "[\"" + ID + "\", " + "[".repeat(10_000));
    return all;
  }

  private static void patterns(Map<String, String> all) {
    all.put("a pattern at the limit of repetitions", regex("[ab]{1000}"));
    all.put("a pattern over the limit of repetitions", regex("[ab]{1001}"));
    all.put("a pattern of 20,000 states", regex("(abcdefghij){1000}(abcdefghij){1000}"));
    all.put("a pattern of 40,000 states", regex("(abcd){1000}{10}"));
    all.put("a pattern of empty alternatives", regex("(" + "|".repeat(9_000) + "){1000}{9}"));
    all.put("a pattern of optional letters", regex("a" + "?".repeat(19_000)));
    all.put("a pattern that doubles its states", regex("(a|b)*a(a|b){12}"));
    all.put("a pattern with too many states", regex("(a|b)*a(a|b){25}"));
    all.put("a pattern of nested groups", regex("(".repeat(99) + "a" + ")".repeat(99)));
  }

  private static void schemas(Map<String, String> all) {
    String integer = "{\"type\": \"integer\"}";
    all.put("26 nested arrays", schema(nested(26, integer)));
    all.put("200 nested arrays", schema(nested(200, integer)));
    all.put("500 optional properties", schema(properties(500)));
    all.put("3,000 optional properties", schema(properties(3_000)));
    String object = integer;
    for (int depth = 0; depth < 12; depth++) {
      object =
          "{\"type\": \"object\", \"properties\": {\"a\": %s, \"b\": {\"type\": \"null\"}}}"
              .formatted(object);
    }
    all.put("nested objects of optional properties", schema(object));
  }

  private static String nested(int depth, String items) {
    return "{\"type\": \"array\", \"items\": ".repeat(depth) + items + "}".repeat(depth);
  }

  private static String properties(int count) {
    return "{\"type\": \"object\", \"properties\": {"
        + list(count, "\"p%d\": {\"type\": \"integer\"}")
        + "}}";
  }

  private static String list(int count, String format) {
    List<String> items = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      items.add(format.formatted(i));
    }
    return String.join(", ", items);
  }

  private static String regex(String pattern) {
    return with("\"structured_outputs\": {\"regex\": \"" + pattern + "\"}");
  }

  private static String schema(String schema) {
    return with("\"structured_outputs\": {\"json\": \"" + schema.replace("\"", "\\\"") + "\"}");
  }

  private static String with(String member) {
    return REQUEST.formatted(member);
  }
}

package dev.flinfer.engine;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;

/** Breaks valid files in ways that harm parsers; the damage depends only on the seed. */
final class Damage {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String PLACE = "place for a broken value";

  private static final long[] NUMBERS = {
    0,
    1,
    -1,
    3,
    24,
    Byte.MAX_VALUE,
    1L << 16,
    Integer.MAX_VALUE,
    1L << 31,
    1L << 40,
    1L << 60,
    Long.MAX_VALUE - 7,
    Long.MAX_VALUE,
    Long.MIN_VALUE
  };

  /** Values that replace others; with some the file is not valid JSON. */
  private static final List<String> VALUES =
      List.of(
          "null",
          "true",
          "0",
          "-1",
          "0.5",
          "1e999",
          "1e-999",
          "2147483647",
          "2147483648",
          "1099511627776",
          "9223372036854775807",
          "9223372036854775808",
          "18446744073709551616",
          "9".repeat(2000),
          "\"\"",
          "\"a\"",
          "\"a b\"",
          "\"\\u0000\"",
          "\"\\ud800\"",
          "\"..\"",
          "\"x/../y\"",
          "\"model.safetensors\"",
          "\"model.safetensors.index.json\"",
          "\"tokenizer.json\"",
          "\"I64\"",
          "\"BF16\"",
          "\"" + "long ".repeat(20_000) + "\"",
          "[]",
          "{}",
          "[[]]",
          "[-1,-1]",
          "{\"a\":{\"b\":1}}",
          "[0,9223372036854775807]",
          "[4294967296,4294967296]",
          "[" + "1,".repeat(20_000) + "1]",
          "[".repeat(100_000),
          "{\"a\":".repeat(50) + "1" + "}".repeat(50),
          "1,\"twice\":1,\"twice\":2",
          "\"cut off");

  private final Random random;

  Damage(long seed) {
    random = new Random(seed);
  }

  /** Changes, inserts or removes a few of the first bytes, or truncates the file. */
  byte[] ofBytes(byte[] whole, int first) {
    byte[] bytes = whole.clone();
    for (int i = random.nextInt(3); i >= 0; i--) {
      int at = random.nextInt(Math.max(1, Math.min(first, bytes.length)));
      switch (random.nextInt(6)) {
        case 0 -> bytes = Arrays.copyOf(bytes, at);
        case 1 -> bytes = replace(bytes, at, random.nextInt(40), new byte[0]);
        case 2 -> bytes = replace(bytes, at, 0, Arrays.copyOf(bytes, random.nextInt(at + 1)));
        case 3 -> bytes = replace(bytes, at, 8, number(8));
        case 4 -> bytes = replace(bytes, at, 4, number(4));
        default -> bytes = replace(bytes, at, 1, new byte[] {(byte) random.nextInt()});
      }
    }
    return bytes;
  }

  private byte[] number(int length) {
    ByteBuffer buffer = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    return Arrays.copyOf(buffer.putLong(NUMBERS[random.nextInt(NUMBERS.length)]).array(), length);
  }

  private static byte[] replace(byte[] bytes, int from, int count, byte[] by) {
    int to = Math.min(bytes.length, from + count);
    ByteBuffer all = ByteBuffer.allocate(bytes.length - (to - from) + by.length);
    return all.put(bytes, 0, from).put(by).put(bytes, to, bytes.length - to).array();
  }

  /** Replaces a few values by others, of another kind or from another place, or removes them. */
  byte[] ofJson(byte[] whole) {
    try {
      JsonNode root = JSON.readTree(whole);
      List<String> broken = new ArrayList<>();
      for (int i = random.nextInt(3); i >= 0; i--) {
        change(root, broken);
      }
      String text = root.toString();
      for (String value : broken) {
        text = text.replaceFirst("\"" + PLACE + "\"", Matcher.quoteReplacement(value));
      }
      return text.getBytes(StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private void change(JsonNode root, List<String> broken) {
    List<JsonNode> parents = new ArrayList<>();
    parents(root, parents);
    JsonNode parent = parents.get(random.nextInt(parents.size()));
    if (parent.isEmpty()) {
      return;
    }
    int child = random.nextInt(parent.size());
    int what = random.nextInt(8);
    JsonNode value = TextNode.valueOf(PLACE);
    if (what == 0) {
      JsonNode other = parents.get(random.nextInt(parents.size()));
      value = other.isEmpty() ? other.deepCopy() : other.elements().next().deepCopy();
    } else if (what > 1) {
      broken.add(VALUES.get(random.nextInt(VALUES.size())));
    }
    if (parent instanceof ArrayNode array) {
      if (what == 1) {
        array.remove(child);
      } else {
        array.set(child, value);
      }
    } else {
      ObjectNode object = (ObjectNode) parent;
      String key = new ArrayList<>(object.properties()).get(child).getKey();
      if (what == 1) {
        object.remove(key);
      } else {
        object.set(key, value);
      }
    }
  }

  private static void parents(JsonNode node, List<JsonNode> found) {
    if (node.isContainerNode()) {
      found.add(node);
      for (JsonNode child : node) {
        parents(child, found);
      }
    }
  }
}

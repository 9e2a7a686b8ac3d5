package dev.flinfer.engine.structured;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Random schemas against a validator: what is generated is valid, what is not valid is refused. */
final class RandomSchemaTest {
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final JsonSchemaFactory VALIDATORS =
      JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012);
  private static final String CHARACTERS = "0159-.eE,:[]{}\"\\ntaé😀 ";
  private static final List<String> TYPES =
      List.of("string", "number", "integer", "boolean", "null");
  private static final List<String> VALUES =
      List.of("\"\"", "\"a\\n\"", "\"é😀\"", "1", "-2", "0.5", "1e400", "true", "false", "null");

  @Test
  void whatIsGeneratedIsValid() throws JsonProcessingException {
    int[] seen = new int[4];
    for (int seed = 0; seed < RandomTexts.TRIES; seed++) {
      Random random = new Random(seed);
      ObjectNode schema = schema(random, 3);
      com.networknt.schema.JsonSchema validator = VALIDATORS.getSchema(schema);
      ByteAutomaton automaton;
      try {
        automaton = ByteAutomaton.ofJsonSchema(schema.toString());
      } catch (PatternException e) {
        assertThat(e)
            .as("%s", schema)
            .hasMessageMatching("(?s).*no value (has|is valid).*|.*, so no(ne| value) is valid");
        seen[0]++;
        continue;
      }
      RandomTexts texts = new RandomTexts(automaton);
      for (int i = 0; i < 3; i++) {
        String text = texts.next(random);
        assertThat(validator.validate(JSON.readTree(text))).as("%s by %s", text, schema).isEmpty();
        seen[1]++;
        String other = RandomTexts.changed(text, CHARACTERS, random);
        if (ByteAutomatonTest.matches(automaton, other)) {
          assertThat(validator.validate(JSON.readTree(other)))
              .as("%s by %s", other, schema)
              .isEmpty();
          seen[2]++;
        }
      }
    }
    assertThat(seen[0]).isBetween(RandomTexts.TRIES / 50, RandomTexts.TRIES / 3);
    assertThat(seen[1]).isGreaterThan(RandomTexts.TRIES);
    assertThat(seen[2]).isGreaterThan(RandomTexts.TRIES / 10);
  }

  /** Values of enum beside a type are generated exactly if the validator finds them valid. */
  @Test
  void aValueIsGeneratedIfAndOnlyIfItIsValid() throws JsonProcessingException {
    for (int seed = 0; seed < RandomTexts.TRIES; seed++) {
      Random random = new Random(seed);
      ObjectNode schema = values(random);
      com.networknt.schema.JsonSchema validator = VALIDATORS.getSchema(schema);
      boolean refused = false;
      ByteAutomaton automaton = null;
      try {
        automaton = ByteAutomaton.ofJsonSchema(schema.toString());
      } catch (PatternException e) {
        refused = true;
      }
      for (String value : VALUES) {
        JsonNode json = JSON.readTree(value);
        boolean valid = validator.validate(json).isEmpty();
        String text = value.equals("1e400") ? "1E+400" : value;
        assertThat(!refused && ByteAutomatonTest.matches(automaton, text))
            .as("%s by %s", value, schema)
            .isEqualTo(valid);
      }
    }
  }

  private static ObjectNode schema(Random random, int depth) throws JsonProcessingException {
    ObjectNode schema = NODES.objectNode();
    switch (random.nextInt(depth == 0 ? 4 : 7)) {
      case 0:
        return values(random);
      case 1:
        schema.put("type", "string");
        bounds(schema, "minLength", "maxLength", random);
        return schema;
      case 2, 3:
        return schema.put("type", TYPES.get(1 + random.nextInt(4)));
      case 4:
        schema.put("type", "array").set("items", schema(random, depth - 1));
        bounds(schema, "minItems", "maxItems", random);
        return schema;
      case 5:
        ArrayNode anyOf = schema.putArray("anyOf");
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
          anyOf.add(schema(random, depth - 1));
        }
        return schema;
      default:
        ObjectNode properties = schema.put("type", "object").putObject("properties");
        ArrayNode required = schema.putArray("required");
        for (int i = random.nextInt(5); i > 0; i--) {
          String name = List.of("a", "", "é\"", "a b", "😀\n").get(i);
          properties.set(name, schema(random, depth - 1));
          if (random.nextBoolean()) {
            required.add(name);
          }
        }
        return schema.put("additionalProperties", random.nextBoolean());
    }
  }

  /** An enum or a const, with or without a type, which may exclude values. */
  private static ObjectNode values(Random random) throws JsonProcessingException {
    ObjectNode schema = NODES.objectNode();
    if (random.nextInt(3) == 0) {
      schema.set("const", JSON.readTree(VALUES.get(random.nextInt(VALUES.size()))));
    } else {
      ArrayNode values = schema.putArray("enum");
      for (int i = 1 + random.nextInt(4); i > 0; i--) {
        values.add(JSON.readTree(VALUES.get(random.nextInt(VALUES.size()))));
      }
    }
    if (random.nextInt(3) == 0) {
      schema.put("type", TYPES.get(random.nextInt(TYPES.size())));
    } else if (random.nextInt(4) == 0) {
      schema.putArray("type").add("string").add(TYPES.get(1 + random.nextInt(4)));
    }
    return schema;
  }

  private static void bounds(ObjectNode schema, String least, String most, Random random) {
    int min = random.nextInt(4);
    if (random.nextBoolean()) {
      schema.put(least, min);
    }
    if (random.nextBoolean()) {
      schema.put(most, min + random.nextInt(3));
    }
  }
}

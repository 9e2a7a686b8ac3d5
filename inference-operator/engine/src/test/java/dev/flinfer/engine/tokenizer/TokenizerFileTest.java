package dev.flinfer.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.flinfer.engine.weights.UntrustedJson;
import dev.flinfer.engine.weights.WeightFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A file is read completely or refused with the reason. */
class TokenizerFileTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String OFF =
      "; it would change the tokens and is not supported: byte-level BPE as in Phi-2 does not"
          + " use it";
  private static final String ONLY = " is supported: byte-level BPE as in Phi-2";

  @TempDir private Path directory;
  private final TokenizerJson file =
      new TokenizerJson(List.of(List.of("a", "b"), List.of("ab", "c")))
          .added("<|endoftext|>", 258, true, false);

  @Test
  void bothFormsOfMergesAreRead() {
    int[] ids = Tokenizer.load(file.write(directory)).encode("abcab");
    ArrayNode merges = file.model.putArray("merges");
    merges.addArray().add("a").add("b");
    merges.addArray().add("ab").add("c");

    assertThat(ids).containsExactly(257, 256);
    assertThat(Tokenizer.load(file.write(directory)).encode("abcab")).isEqualTo(ids);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "/model/type|null",
        "/model/dropout|0.0",
        "/model/byte_fallback|false",
        "/model/ignore_merges|false",
        "/model/continuing_subword_prefix|null",
        "/post_processor|null",
        "/pre_tokenizer/use_regex|true",
        "/something_new|false",
      })
  void settingsThatAreOffMayBePresent(String pointer, String value) throws IOException {
    if (pointer.equals("/model/type")) {
      file.model.remove("type"); // as in files of the first versions
    } else {
      set(pointer, value);
    }

    assertThat(Tokenizer.load(file.write(directory)).encode("abc")).containsExactly(257);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "/normalizer|{'type':'NFC'}|normalizer is {'type':'NFC'}OFF",
        "/truncation|{'max_length':5}|truncation is {'max_length':5}OFF",
        "/padding|{'strategy':'BatchLongest'}|padding is {'strategy':'BatchLongest'}OFF",
        "/something_new|'yes'|something_new is 'yes'OFF",
        "/model/type|'Unigram'|model.type is 'Unigram'; only BPEONLY",
        "/model/dropout|0.1|model.dropout is 0.1OFF",
        "/model/byte_fallback|true|model.byte_fallback is trueOFF",
        "/model/ignore_merges|true|model.ignore_merges is trueOFF",
        "/model/end_of_word_suffix|'</w>'|model.end_of_word_suffix is '</w>'OFF",
        "/model/continuing_subword_prefix|'##'|model.continuing_subword_prefix is '##'OFF",
        "/pre_tokenizer|null|pre_tokenizer.type is missing; only ByteLevelONLY",
        "/pre_tokenizer/type|'Metaspace'|pre_tokenizer.type is 'Metaspace'; only ByteLevelONLY",
        "/pre_tokenizer/add_prefix_space|true|pre_tokenizer.add_prefix_space is trueOFF",
        "/pre_tokenizer/use_regex|false|pre_tokenizer.use_regex is false; only trueONLY",
        "/decoder|null|decoder.type is missing; only ByteLevelONLY",
        "/post_processor|{'type':'TemplateProcessing'}|post_processor.type is 'TemplateProcessing'; only ByteLevelONLY",
        "/added_tokens/0/lstrip|true|added_tokens[0].lstrip is trueOFF",
        "/added_tokens/0/rstrip|true|added_tokens[0].rstrip is trueOFF",
        "/added_tokens/0/single_word|true|added_tokens[0].single_word is trueOFF",
      })
  void settingsThatWouldChangeTheIdsAreRefused(String pointer, String value, String problem)
      throws IOException {
    set(pointer, value);

    assertRefused(problem.replace('\'', '"').replace("OFF", OFF).replace("ONLY", ONLY));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "/model/vocab|[]|model.vocab is []; it must be an object",
        "/model/vocab/x|-1|model.vocab['x'] is -1; an id is a whole number from 0 to 1048575",
        "/model/vocab/x|1048576|model.vocab['x'] is 1048576; an id is a whole number from 0 to 1048575",
        "/model/vocab/x|1.5|model.vocab['x'] is 1.5; an id is a whole number from 0 to 1048575",
        "/model/vocab/x|'7'|model.vocab['x'] is '7'; an id is a whole number from 0 to 1048575",
        "/model/vocab/new|0|model.vocab has the id 0 twice, for 'Ā' and 'new'",
        "/model/merges|{}|model.merges is {}; it must be an array",
        "/model/merges/0|'ab'|model.merges[0] is 'ab'; a merge is 'a b' or ['a', 'b']",
        "/model/merges/0|'a b c'|model.merges[0] is 'a b c'; a merge is 'a b' or ['a', 'b']",
        "/model/merges/0|' a'|model.merges[0] is ' a'; a merge is 'a b' or ['a', 'b']",
        "/model/merges/0|['a']|model.merges[0] is ['a']; a merge is 'a b' or ['a', 'b']",
        "/model/merges/0|[['a'],1]|model.merges[0] is [['a'],1]; a merge is 'a b' or ['a', 'b']",
        "/model/merges/0|7|model.merges[0] is 7; a merge is 'a b' or ['a', 'b']",
        "/model/merges/0|'zz b'|model.merges[0] needs 'zz', which model.vocab lacks",
        "/model/merges/1|'a c'|model.merges[1] needs 'ac', which model.vocab lacks",
        "/model/merges/1|'a b'|model.merges[1] merges 'a' and 'b', as an earlier merge does",
        "/added_tokens|{}|added_tokens is {}; it must be an array",
        "/added_tokens/0/content|''|added_tokens[0].content is empty or missing",
        "/added_tokens/0/content|'abc'|added_tokens[0] is 'abc' with id 258; model.vocab has 'abc' with id 257",
        "/added_tokens/0/id|257|added_tokens[0] is '<|endoftext|>' with id 257; model.vocab has 'abc' with id 257",
        "/added_tokens/0/id|null|added_tokens[0].id is null; an id is a whole number from 0 to 1048575",
      })
  void invalidEntriesAreNamed(String pointer, String value, String problem) throws IOException {
    set(pointer, value);

    assertRefused(problem.replace('\'', '"'));
  }

  @Test
  void aMissingByteIsNamed() {
    file.vocab.remove("Ċ");

    assertRefused("model.vocab lacks \"Ċ\", the byte 0A; a byte-level vocabulary has all 256");
  }

  @Test
  void anAddedTokenThatOccursTwiceIsNamed() {
    file.added("<|endoftext|>", 258, true, false);

    assertRefused("added_tokens[1] is \"<|endoftext|>\", which already exists");
  }

  @Test
  void filesThatAreNotTokenizersAreNamed() throws IOException {
    assertRefusedAsIs("is missing; a model directory holds the tokenizer.json of its model");
    Path path = directory.resolve("tokenizer.json");
    Files.writeString(path, "[]");
    assertRefusedAsIs("does not hold a JSON object, as it must");
    Files.writeString(path, "");
    assertRefusedAsIs("does not hold a JSON object, as it must");
    Files.writeString(path, "{\"model\": ");
    assertRefusedAsIs("invalid JSON: Unexpected end-of-input within/between Object entries");
    Files.writeString(path, "{\"model\": 1, \"model\": 2}");
    assertRefusedAsIs("invalid JSON: Duplicate field 'model'");
    Files.writeString(path, "{} {}");
    assertRefusedAsIs("invalid JSON: Trailing token");
    Files.writeString(path, "[".repeat(100_000));
    assertRefusedAsIs("invalid JSON: Document nesting depth (65) exceeds the maximum allowed");
    Files.write(path, new byte[UntrustedJson.MAX_BYTES + 1]);
    assertRefusedAsIs("has 16777217 bytes; the limit for JSON is 16777216");
  }

  private void set(String pointer, String value) throws IOException {
    JsonPointer at = JsonPointer.compile(pointer);
    JsonNode parent = file.root.at(at.head());
    JsonNode node = JSON.readTree(value.replace('\'', '"'));
    if (parent.isArray()) {
      ((ArrayNode) parent).set(at.last().getMatchingIndex(), node);
    } else {
      ((ObjectNode) parent).set(at.last().getMatchingProperty(), node);
    }
  }

  private void assertRefused(String problem) {
    file.write(directory);
    assertRefusedAsIs(problem);
  }

  private void assertRefusedAsIs(String problem) {
    assertThatThrownBy(() -> Tokenizer.load(directory))
        .isInstanceOf(WeightFileException.class)
        .message()
        .startsWith(directory.resolve("tokenizer.json") + ": " + problem);
  }
}

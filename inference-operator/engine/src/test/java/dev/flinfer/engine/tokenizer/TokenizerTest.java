package dev.flinfer.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {
  private static final Path DEMO_MODEL = Path.of("../../deploy/demo-model");

  @TempDir private Path directory;

  /** The reference is the demo model's reference.py, which shares no code with the engine. */
  @Test
  void theDemoModelsTextsHaveTheIdsOfItsReference() throws IOException {
    Tokenizer tokenizer = Tokenizer.load(DEMO_MODEL);
    JsonNode cases =
        new ObjectMapper().readTree(DEMO_MODEL.resolve("expected.json").toFile()).get("tokenizer");

    assertThat(cases).hasSizeGreaterThan(20);
    for (JsonNode expected : cases) {
      int[] ids =
          IntStream.range(0, expected.get("ids").size())
              .map(i -> expected.get("ids").get(i).asInt())
              .toArray();
      String text = expected.get("text").asText();
      assertThat(tokenizer.encode(text)).as("ids of \"%s\"", text).isEqualTo(ids);
      if (!text.contains("<|endoftext|>")) {
        assertThat(tokenizer.decode(ids)).isEqualTo(text);
      }
    }
  }

  /** The pieces of GPT-2's encoder.py, separated by |. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "Hello| world",
        "Hello|  | world",
        "a|   | b",
        "a|\n|b",
        "a|\n\n",
        "a|\n| b",
        "a| \n|\n|b",
        " |\t|x",
        "I|'ll|,| we|'ve|;| don|'t| it|'s| '|twas",
        "I|'|LL",
        "it|’|s",
        "x|1|y|22| | 333",
        "３½|x",
        "a|--|b| ==| c",
        "naïve| été",
        "日本語|。|テスト",
        "Привет|,| мир|!",
        "a|\u00A0|b",
        "a|\u2003|\u2003|b",
        "a|\u0085|\u3000|b",
        "a|\u200B|b",
        "😀😀| 😀|a",
        "e|\u0301|x",
        "_|a|_|b",
      })
  void textIsSplitAsGpt2DoesIt(String cut) {
    List<String> pieces = List.of(cut.split("\\|", -1));

    assertThat(PreTokenizer.GPT2.matcher(String.join("", pieces)).results().map(MatchResult::group))
        .isEqualTo(pieces);
  }

  @Test
  void addedTokensAreCutOutLongestFirst() {
    Tokenizer tokenizer =
        Tokenizer.load(
            new TokenizerJson(List.of(List.of("Ġ", "x")))
                .added("<|endoftext|>", 257, true, false)
                .added("    ", 258, false, true)
                .added("   ", 259, false, true)
                .added("  ", 260, false, true)
                .added("\t\t", 261, false, true)
                .write(directory));
    int x = 'x'; // ids of single bytes are the bytes

    assertThat(tokenizer.encode("     x")).containsExactly(258, 256);
    assertThat(tokenizer.encode("      x")).containsExactly(258, 260, x);
    assertThat(tokenizer.encode(" x \t\t\tx")).containsExactly(256, ' ', 261, '\t', x);
    assertThat(tokenizer.encode("x<|endoftext|>  <|endoftext")).startsWith(x, 257, 260, '<');
    assertThat(tokenizer.decode(new int[] {258, 257, 261, x})).isEqualTo("    \t\tx");
  }

  @Test
  void tokensThatAreNotNormalizedAreCutOutFirst() {
    Tokenizer tokenizer =
        Tokenizer.load(
            new TokenizerJson(List.of())
                .added("xyz", 256, false, true)
                .added("yz", 257, false, false)
                .write(directory));

    assertThat(tokenizer.encode("xyz")).containsExactly('x', 257);
  }

  @Test
  void decodingReturnsEveryEncodedText() {
    Tokenizer tokenizer = Tokenizer.load(DEMO_MODEL);
    StringBuilder all = new StringBuilder();
    for (int c = 0; c <= Character.MAX_CODE_POINT; c += 1 + c / 300) {
      if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
        all.appendCodePoint(c);
      }
    }

    assertThat(tokenizer.decode(tokenizer.encode(all.toString()))).isEqualTo(all.toString());
    assertThat(tokenizer.encode("")).isEmpty();
    assertThat(tokenizer.decode(tokenizer.encode("\ud800"))).isEqualTo("?");
  }

  @Test
  void unknownIdsAddNothing() {
    Tokenizer tokenizer = Tokenizer.load(DEMO_MODEL);

    assertThat(tokenizer.decode(new int[] {-1, 64, 2_000_000_000, 2049, Integer.MIN_VALUE}))
        .isEqualTo("a");
    assertThat(tokenizer.decoder().add(-1)).isEmpty();
    assertThat(tokenizer.decoder().add(2_000_000_000)).isEmpty();
  }

  @Test
  void longTextWithoutASpaceIsNotQuadratic() {
    Tokenizer tokenizer = Tokenizer.load(DEMO_MODEL);
    String letters = "abacus".repeat(200_000);

    // Quadratic time would be hours; the limit allows for a busy machine.
    Assertions.assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () -> {
          assertThat(tokenizer.decode(tokenizer.encode(letters))).isEqualTo(letters);
          assertThat(tokenizer.encode(" ".repeat(1_200_000))).hasSize(150_000);
        });
  }

  @Test
  void aTextIsTooLongByItsLengthOnlyIfItsTokensAreTooMany() {
    Tokenizer tokenizer = Tokenizer.load(DEMO_MODEL);
    for (String unit : List.of("<|endoftext|>", " ", " shipping", "a", "x1 ", "\u65e5", "\n\n")) {
      String text = unit.repeat(1000);
      int tokens = tokenizer.encode(text).length;
      assertThat(tokenizer.exceeds(text, tokens)).as(unit).isFalse();
    }
    assertThat(tokenizer.exceeds("a".repeat(10_000), 100)).isTrue();
  }

  @Test
  void manyThreadsShareOneTokenizer() {
    Tokenizer tokenizer = Tokenizer.load(DEMO_MODEL);
    List<String> texts =
        IntStream.range(0, 500)
            .mapToObj(i -> "Order #" + i + " never  arrived, it's late")
            .toList();
    List<int[]> alone = texts.stream().map(tokenizer::encode).toList();

    List<int[]> together = texts.parallelStream().map(tokenizer::encode).toList();

    for (int i = 0; i < texts.size(); i++) {
      assertThat(Arrays.equals(alone.get(i), together.get(i))).isTrue();
    }
  }
}

package dev.flinfer.engine.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Decoding of tokens that end within characters. The tokens here are single bytes. */
class DecodingTest {
  /** The text of Rust's String::from_utf8_lossy, which Hugging Face's decoder uses. */
  @ParameterizedTest
  @CsvSource({
    "C0AF, \uFFFD\uFFFD",
    "E080, \uFFFD\uFFFD",
    "E0A0, \uFFFD",
    "EDA080, \uFFFD\uFFFD\uFFFD",
    "F08080, \uFFFD\uFFFD\uFFFD",
    "F4908080, \uFFFD\uFFFD\uFFFD\uFFFD",
    "F8808080, \uFFFD\uFFFD\uFFFD\uFFFD",
    "41E282, A\uFFFD",
    "F09F98, \uFFFD",
    "F09F9841, \uFFFDA",
    "E2E282AC, \uFFFD€",
    "F09FF09F9880, \uFFFD😀",
    "80BF, \uFFFD\uFFFD",
    "C2, \uFFFD",
    "FF, \uFFFD",
  })
  void brokenUtf8BecomesReplacementCharacters(String hex, String text) {
    byte[] bytes = HexFormat.of().parseHex(hex);

    assertThat(Utf8.decode(bytes, bytes.length)).isEqualTo(text);
    assertThat(String.join("", stream(bytes))).isEqualTo(text);
  }

  @Test
  void aCharacterIsHeldBackUntilItIsComplete() {
    assertThat(stream(HexFormat.of().parseHex("61F09F9880C3A9")))
        .containsExactly("a", "", "", "", "😀", "", "é", "");
  }

  @Test
  void anInvalidCharacterIsNotHeldBackOnceNoByteCanCompleteIt() {
    assertThat(stream(HexFormat.of().parseHex("E28261"))).containsExactly("", "", "\uFFFDa", "");
    assertThat(stream(HexFormat.of().parseHex("80C0FF")))
        .containsExactly("\uFFFD", "\uFFFD", "\uFFFD", "");
    assertThat(stream(HexFormat.of().parseHex("ED9F"))).containsExactly("", "", "\uFFFD");
    assertThat(stream(HexFormat.of().parseHex("EDA0"))).containsExactly("", "\uFFFD\uFFFD", "");
  }

  @Property
  void streamedTextIsThatOfAllTokens(@ForAll("bytes") List<byte[]> portions) {
    int length = portions.stream().mapToInt(p -> p.length).sum();
    ByteBuffer all = ByteBuffer.allocate(length);
    portions.forEach(all::put);
    Utf8Stream decoder = new Utf8Stream(portions::get, i -> Utf8.whole(portions.get(i)));
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < portions.size(); i++) {
      text.append(decoder.add(i));
    }

    assertThat(text + decoder.finish()).isEqualTo(Utf8.decode(all.array(), length));
    assertThat(decoder.finish()).isEmpty();
  }

  @Property
  void withoutEncodedSurrogatesTheTextIsThatOfJavasDecoder(@ForAll("bytes") List<byte[]> portions) {
    for (byte[] bytes : portions) {
      String text = Utf8.decode(bytes, bytes.length);

      if (new String(bytes, StandardCharsets.ISO_8859_1).indexOf(0xED) < 0) {
        assertThat(text).isEqualTo(new String(bytes, StandardCharsets.UTF_8));
      }
    }
  }

  /** Lead and continuation bytes of all kinds, far more often than in random bytes. */
  @Provide
  Arbitrary<List<byte[]>> bytes() {
    Arbitrary<Byte> interesting =
        Arbitraries.of(
                0x41, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xED,
                0xEF, 0xF0, 0xF1, 0xF4, 0xF5, 0xFF)
            .map(Integer::byteValue);
    return interesting.array(byte[].class).ofMaxSize(5).list().ofMaxSize(10);
  }

  /** The text that each single byte adds, and finally the rest. */
  private static List<String> stream(byte[] bytes) {
    Utf8Stream decoder = new Utf8Stream(i -> new byte[] {bytes[i]}, i -> null);
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < bytes.length; i++) {
      texts.add(decoder.add(i));
    }
    texts.add(decoder.finish());
    return texts;
  }
}

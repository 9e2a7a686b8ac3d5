package dev.flinfer.engine.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.flinfer.engine.GgufWriter;
import dev.flinfer.engine.RandomGguf;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files are untrusted: whatever a file claims, the error names the problem. */
final class GgufTest {
  private static final int F32 = 0;
  private static final long[] FOUR = {4};

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(ints = {2, 3})
  void readsPairsAndTensors(int version) {
    GgufWriter writer =
        new GgufWriter()
            .version(version)
            .put("small", 7)
            .put("large", 1L << 40)
            .put("half", 0.5f)
            .put("yes", true)
            .put("name", "größe")
            .put("words", List.of("a", "", "b"))
            .put("numbers", new int[] {1, -2})
            .tensor("matrix", F32, new long[] {2, 3}, GgufWriter.ints(1, 2, 3, 4, 5, 6))
            .tensor("vector", F32, FOUR, new byte[16]);
    try (Gguf gguf = open(writer.toBytes())) {
      GgufMetadata metadata = gguf.metadata();
      assertThat(metadata.integer("small", 0, 9)).isEqualTo(7);
      assertThat(metadata.number("large", 1)).isEqualTo(1L << 40);
      assertThat(metadata.number("half", 1)).isEqualTo(0.5);
      assertThat(metadata.number("absent", 3)).isEqualTo(3);
      assertThat(metadata.text("name")).isEqualTo("größe");
      assertThat(metadata.text("absent")).isNull();
      assertThat(metadata.texts("words", 3)).containsExactly("a", "", "b");
      assertThat(metadata.integers("numbers", 2)).containsExactly(1, -2);
      Tensor matrix = gguf.get("matrix", 2, 3);
      assertThat(matrix.shape()).containsExactly(2L, 3L);
      assertThat(matrix.rows(1, 1).toFloats())
          .containsExactly(
              Float.intBitsToFloat(4), Float.intBitsToFloat(5), Float.intBitsToFloat(6));
      assertThatThrownBy(() -> gguf.get("matrix", 3, 2))
          .hasMessageEndingWith("tensor matrix has shape [2, 3]; the metadata require [3, 2]");
      assertThatThrownBy(() -> gguf.get("none"))
          .hasMessageEndingWith("tensor none is missing; the file is not a complete Phi-2 model");
    }
  }

  @Test
  void refusesOtherFilesAndVersions() {
    refuses(new byte[0], "does not begin with GGUF; flinfer.model is a GGUF file or a model");
    refuses("not a model".getBytes(StandardCharsets.UTF_8), "does not begin with GGUF;");
    refuses(
        new GgufWriter().version(1).toBytes(), "has version 1; little-endian files of versions 2");
    refuses(new GgufWriter().version(0x03000000).toBytes(), "is big-endian; little-endian files");
    refuses(
        new GgufWriter().put("split.count", 3).toBytes(),
        "is one part of 3; merge the parts with llama-gguf-split --merge");
  }

  @Test
  void refusesCountsThatTheFileCannotHold() {
    GgufWriter writer = new GgufWriter().put("a", 1);
    refuses(
        writer.toBytes(-1, 1), "the number of tensors is 18446744073709551615; the limit is 65536");
    refuses(writer.toBytes(1L << 63, 1), "the number of tensors is 9223372036854775808;");
    refuses(writer.toBytes(60000, 1), "the number of tensors is 60000; the limit is 65536");
    refuses(writer.toBytes(0, 1L << 40), "the number of key-value pairs is 1099511627776;");
    refuses(writer.toBytes(0, 2), "the number of key-value pairs is 2; the limit is");
    refuses(
        new GgufWriter().pair("list", 9, longs(4, Long.MAX_VALUE)).toBytes(),
        "the length of the array list is 9223372036854775807; the limit is 2147483647");
    refuses(
        new GgufWriter().pair("list", 9, longs(8, 1L << 30)).toBytes(),
        "the length of the array list is 1073741824;");
    refuses(
        new GgufWriter().pair("text", 8, GgufWriter.longs(-5)).toBytes(),
        "the length of text is 18446744073709551611;");
  }

  @Test
  void refusesInvalidPairs() {
    refuses(new GgufWriter().put("a", 1).put("a", 2).toBytes(), "has the key a twice");
    refuses(
        new GgufWriter().pair("a", 13, new byte[8]).toBytes(),
        "a has type 13; the format has the types 0 to 12");
    refuses(
        new GgufWriter().pair("a", 7, new byte[] {2}).toBytes(),
        "a is the byte 2; a boolean is 0 or 1");
    GgufWriter nested = new GgufWriter();
    byte[] deep = new byte[0];
    for (int i = 0; i < 6; i++) {
      deep = concat(longs(9, 1), deep);
    }
    refuses(
        nested.pair("deep", 9, deep).toBytes(),
        "deep nests arrays deeper than 4 levels, which is the limit");
  }

  @Test
  void refusesValuesOfAnotherKind() {
    byte[] bytes = new GgufWriter().put("text", "t").put("list", List.of("a", "b")).toBytes();
    try (Gguf gguf = open(bytes)) {
      GgufMetadata metadata = gguf.metadata();
      assertThatThrownBy(() -> metadata.integer("text", 1, 9))
          .hasMessageEndingWith("text is t; it must be a whole number from 1 to 9");
      assertThatThrownBy(() -> metadata.integer("gone", 1, 9))
          .hasMessageEndingWith("gone is missing; it must be a whole number from 1 to 9");
      assertThatThrownBy(() -> metadata.number("text", 1))
          .hasMessageEndingWith("text is t; it must be a number above 0");
      assertThatThrownBy(() -> metadata.text("list"))
          .hasMessageEndingWith("list is an array of 2 entries; it must be a string");
      assertThatThrownBy(() -> metadata.texts("list", 1))
          .hasMessageEndingWith(
              "list is an array of 2 entries; it must be an array of at most 1 entries");
      assertThatThrownBy(() -> metadata.integers("list", 9))
          .hasMessageEndingWith("it must be an array of 32-bit whole numbers");
      assertThatThrownBy(() -> metadata.mayBe("text", "u", "v"))
          .hasMessageEndingWith("text is t; it must be u or v, no other value is supported");
    }
  }

  @Test
  void refusesMisplacedTensors() {
    refuses(
        new GgufWriter().info("t", F32, FOUR, 64).bytes(64).toBytes(),
        "tensor t of shape [4] and type F32 is at offsets 64 to 80; the file holds 64 bytes of"
            + " tensors");
    refuses(
        new GgufWriter().info("t", F32, FOUR, -32).bytes(64).toBytes(),
        "tensor t is at offset 18446744073709551584; the offset must be a multiple of 32 within");
    refuses(
        new GgufWriter().info("t", F32, FOUR, 4).bytes(64).toBytes(),
        "tensor t is at offset 4; the offset must be a multiple of 32 within the file's 64 bytes");
    refuses(
        new GgufWriter()
            .info("t", F32, new long[] {9}, 0)
            .info("u", F32, FOUR, 32)
            .bytes(64)
            .toBytes(),
        "tensors t and u overlap");
    refuses(
        new GgufWriter().info("t", F32, FOUR, 0).info("t", F32, FOUR, 32).bytes(64).toBytes(),
        "has the tensor t twice");
    refuses(
        new GgufWriter().put("general.alignment", 24).toBytes(),
        "general.alignment is 24; it must be a power of two");
  }

  @Test
  void refusesInvalidShapes() {
    refuses(
        new GgufWriter().info("t", F32, new long[] {1L << 31, 1L << 31}, 0).bytes(64).toBytes(),
        "tensor t has shape [2147483648, 2147483648]; dimensions must be at least 1 and elements"
            + " at");
    refuses(
        new GgufWriter().info("t", F32, new long[] {-1}, 0).bytes(64).toBytes(),
        "tensor t has shape [18446744073709551615];");
    refuses(
        new GgufWriter().info("t", F32, new long[] {0}, 0).bytes(64).toBytes(),
        "tensor t has shape [0];");
    refuses(
        new GgufWriter().info("t", F32, new long[5], 0).bytes(64).toBytes(),
        "tensor t has 5 dimensions; the format allows 1 to 4");
    refuses(
        new GgufWriter().info("t", 8, new long[] {2, 33}, 0).bytes(128).toBytes(),
        "tensor t has rows of 33 elements; for type Q8_0 it must be a multiple of 32");
  }

  @Test
  void unsupportedTypesAreRefusedOnlyIfTheyAreNeeded() {
    byte[] bytes = new GgufWriter().info("t", 10, new long[] {256}, 0).bytes(128).toBytes();
    try (Gguf gguf = open(bytes)) {
      assertThatThrownBy(() -> gguf.get("t"))
          .hasMessageEndingWith(
              "tensor t has type number 10; supported are F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0,"
                  + " Q5_1, Q4_K, Q5_K and Q6_K");
    }
  }

  /** A file truncated anywhere, or with random bytes in its header, opens or is refused. */
  @Test
  void damageCausesAtMostAnError() throws IOException {
    Path whole = directory.resolve("whole");
    RandomGguf.write(whole, RandomGguf.BLOCKS_OF_32, DType.Q4_0, 1);
    byte[] bytes = Files.readAllBytes(whole);
    Random random = new Random(2);
    for (int i = 0; i < 400; i++) {
      byte[] broken =
          i % 2 == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes.clone();
      for (int j = 0; j < i % 5 && broken.length > 0; j++) {
        broken[random.nextInt(Math.min(broken.length, 12000))] = (byte) random.nextInt();
      }
      try (Gguf gguf = open(broken)) {
        assertThat(gguf.metadata()).isNotNull();
      } catch (WeightFileException e) {
        assertThat(e).hasMessageContaining("broken.gguf: ");
      }
    }
  }

  private void refuses(byte[] bytes, String message) {
    assertThatThrownBy(() -> open(bytes).close())
        .isInstanceOf(WeightFileException.class)
        .hasMessageContaining("broken.gguf: " + message);
  }

  private Gguf open(byte[] bytes) {
    try {
      return Gguf.open(Files.write(directory.resolve("broken.gguf"), bytes));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** An array's type and length. */
  private static byte[] longs(int type, long count) {
    return concat(GgufWriter.ints(type), GgufWriter.longs(count));
  }

  private static byte[] concat(byte[] a, byte[] b) {
    byte[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }
}

package dev.flinfer.engine.weights;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SafetensorsTest {
  @TempDir Path directory;

  @Test
  void readsEachTypeAtAnyOffset() throws IOException {
    write(
        """
        {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
         "b":{"dtype":"F16","shape":[1],"data_offsets":[4,6]},
         "c":{"dtype":"BF16","shape":[1],"data_offsets":[6,8]},"__metadata__":{"format":"pt"}}\
        """,
        ByteBuffer.allocate(8)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putFloat(1.5f)
            .putShort(Float.floatToFloat16(-2))
            .putShort((short) (Float.floatToIntBits(3) >>> 16))
            .array());
    try (Safetensors files = Safetensors.open(directory)) {
      assertThat(files.get("a", 1).toFloats()).containsExactly(1.5f);
      assertThat(files.get("b", 1).toFloats()).containsExactly(-2);
      assertThat(files.get("c", 1).toFloats()).containsExactly(3);
    }
  }

  @Test
  void theErrorNamesTheProblemOfATensor() throws IOException {
    refused(
        entry("F32", "[2]", "[0,4]"), "tensor a of shape [2] and type F32 needs 8 bytes but has 4");
    refused(
        entry("F32", "[2]", "[0,8]"),
        "tensor a is at offsets 0 to 8; the file holds 4 bytes of tensors (is the file"
            + " truncated?)");
    refused(entry("F32", "[1]", "[4,0]"), "tensor a is at offsets 4 to 0");
    refused(
        entry("F32", "[1]", "[-4,0]"),
        "tensor a: data_offsets holds -4; it must hold whole numbers from 0 to 2^63 - 1");
    refused(
        entry("F32", "[1]", "[0,9223372036854775808]"),
        "tensor a: data_offsets holds 9223372036854775808");
    refused(
        entry("F32", "[4294967296,4294967296]", "[0,4]"),
        "tensor a has shape [4294967296,4294967296], which is too large");
    refused(entry("F32", "[1]", "[]"), "tensor a: data_offsets holds nothing");
    refused(
        """
        {"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
         "b":{"dtype":"F16","shape":[1],"data_offsets":[2,4]}}\
        """,
        "tensors a and b overlap");
    refused("[]", "does not hold a JSON object, as it must");
    refused("{x}", "invalid JSON");
  }

  @Test
  void anUnsupportedTypeIsRefusedOnlyIfItIsNeeded() throws IOException {
    write(entry("I64", "[1]", "[0,4]"), new byte[4]);
    try (Safetensors files = Safetensors.open(directory)) {
      assertThatThrownBy(() -> files.get("a", 1))
          .hasMessageContaining("tensor a has type 'I64'; supported are F32, F16 and BF16");
      assertThatThrownBy(() -> files.get("b", 1)).hasMessageContaining("tensor b is missing");
    }
  }

  @Test
  void aShapeThatDiffersFromTheConfigurationIsRefused() throws IOException {
    write(entry("F32", "[1]", "[0,4]"), new byte[4]);
    try (Safetensors files = Safetensors.open(directory)) {
      assertThatThrownBy(() -> files.get("a", 1, 1))
          .hasMessageContaining("tensor a has shape [1]; config.json requires [1, 1]");
    }
  }

  @Test
  void aHeaderLongerThanTheFileIsNotRead() throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putLong(1L << 62);
    Files.write(directory.resolve("model.safetensors"), bytes.array());
    assertThatThrownBy(() -> Safetensors.open(directory))
        .isInstanceOf(WeightFileException.class)
        .hasMessageContaining("claims a header of 4611686018427387904 bytes; the file has 16");
    Files.write(directory.resolve("model.safetensors"), new byte[3]);
    assertThatThrownBy(() -> Safetensors.open(directory))
        .hasMessageContaining("has 3 bytes; a safetensors file has at least 8");
  }

  @Test
  void anIndexNamesOnlyFilesOfItsDirectory() throws IOException {
    assertThatThrownBy(() -> Safetensors.open(directory))
        .hasMessageContaining("holds neither model.safetensors nor model.safetensors.index.json");
    Path index = directory.resolve("model.safetensors.index.json");
    Files.writeString(index, "{\"weight_map\":{\"a\":\"../secret\"}}");
    assertThatThrownBy(() -> Safetensors.open(directory))
        .hasMessageContaining("weight_map names \"../secret\", which is not a plain file name");
    Files.writeString(index, "{\"weight_map\":{\"a\":\"gone.safetensors\"}}");
    assertThatThrownBy(() -> Safetensors.open(directory))
        .hasMessageContaining("gone.safetensors: is missing, but the index names it");
    Files.writeString(index, "{\"weight_map\":{\"a\":\"%s\"}}".formatted(index.getFileName()));
    assertThatThrownBy(() -> Safetensors.open(directory)) // it names itself
        .isInstanceOf(WeightFileException.class)
        .hasMessageContaining("model.safetensors.index.json: claims a header of ");
    Files.writeString(index, "{}");
    assertThatThrownBy(() -> Safetensors.open(directory)).hasMessageContaining("has no weight_map");
  }

  private static String entry(String dtype, String shape, String offsets) {
    return "{\"a\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":%s}}"
        .formatted(dtype, shape, offsets);
  }

  private void refused(String header, String message) throws IOException {
    write(header, new byte[4]);
    assertThatThrownBy(() -> Safetensors.open(directory))
        .isInstanceOf(WeightFileException.class)
        .hasMessageStartingWith(directory.resolve("model.safetensors") + ": ")
        .hasMessageContaining(message);
  }

  private void write(String header, byte[] data) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes =
        ByteBuffer.allocate(8 + json.length + data.length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putLong(json.length)
            .put(json)
            .put(data);
    Files.write(directory.resolve("model.safetensors"), bytes.array());
  }
}

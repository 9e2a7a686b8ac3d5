package dev.flinfer.engine.weights;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * The tensors of a model directory in safetensors files: {@code model.safetensors}, or the shards
 * that {@code model.safetensors.index.json} lists. The files are mapped, not read.
 *
 * <p>Format: the length of the header in 8 bytes, little-endian; the header in JSON; the tensors'
 * bytes; see <a href="https://github.com/huggingface/safetensors#format">the format's page</a>.
 */
public final class Safetensors implements Checkpoint {
  /** The format allows 100 MB, but as a JSON tree that would take gigabytes. */
  private static final int MAX_HEADER_BYTES = UntrustedJson.MAX_BYTES;

  private static final int MAX_DIMENSIONS = 8;

  /** ASCII, because other names are not valid paths in every locale. */
  private static final Pattern FILE_NAME = Pattern.compile("[\\w][\\w .-]{0,254}");

  private static final String SINGLE = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";

  private final Arena arena = Arena.ofShared();
  private final Path directory;
  private final Map<String, Tensor> tensors = new TreeMap<>(); // sorted, for the digest

  /** Tensors of unsupported types; refused only if they are needed. */
  private final Map<String, OtherType> otherTypes = new HashMap<>();

  /** The header of each file in the order of the files' names, for the digest. */
  private final Map<String, byte[]> headers = new TreeMap<>();

  private record OtherType(Path file, String type) {}

  private Safetensors(Path directory) {
    this.directory = directory;
  }

  /** Maps all weight files in {@code directory}. */
  public static Safetensors open(Path directory) {
    Safetensors files = new Safetensors(directory);
    try {
      for (String name : files.fileNames()) {
        files.map(directory.resolve(name));
      }
      return files;
    } catch (IOException e) {
      files.close();
      throw new WeightFileException(directory, "cannot be read: " + e, e);
    } catch (RuntimeException e) {
      files.close();
      throw e;
    }
  }

  @Override
  public Tensor get(String name, long... shape) {
    OtherType other = otherTypes.get(name);
    if (other != null) {
      throw new WeightFileException(
          other.file,
          "tensor %s has type '%s'; supported are F32, F16 and BF16".formatted(name, other.type));
    }
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new WeightFileException(
          headers.size() == 1 ? directory.resolve(headers.keySet().iterator().next()) : directory,
          "tensor %s is missing; this is not a complete Phi model".formatted(name));
    }
    return tensor.withShape("config.json requires", shape);
  }

  @Override
  public void fingerprint(MessageDigest digest) {
    headers.forEach(
        (file, header) -> {
          digest.update(file.getBytes(StandardCharsets.UTF_8));
          digest.update(header);
        });
    tensors.values().forEach(tensor -> tensor.sampleTo(digest));
  }

  @Override
  public void close() {
    arena.close();
  }

  private Iterable<String> fileNames() {
    if (Files.exists(directory.resolve(SINGLE))) {
      return List.of(SINGLE);
    }
    Path index = directory.resolve(INDEX);
    if (!Files.exists(index)) {
      throw new WeightFileException(
          directory,
          "holds neither %s nor %s; point to a model directory in Hugging Face's layout"
              .formatted(SINGLE, INDEX));
    }
    JsonNode map = UntrustedJson.read(index).path("weight_map");
    if (!map.isObject() || map.isEmpty()) {
      throw new WeightFileException(index, "has no weight_map");
    }
    TreeSet<String> names = new TreeSet<>();
    for (JsonNode value : map) {
      String name = value.asText();
      if (!value.isTextual() || !FILE_NAME.matcher(name).matches()) {
        throw new WeightFileException(
            index,
            "weight_map names %s, which is not a plain file name"
                .formatted(UntrustedJson.show(value)));
      }
      names.add(name);
    }
    return names;
  }

  private void map(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw new WeightFileException(file, "is missing, but the index names it");
    }
    if (!Files.isRegularFile(file)) {
      throw new WeightFileException(file, "is not a regular file");
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long size = channel.size();
      if (size < 8) {
        throw new WeightFileException(
            file, "has %d bytes; a safetensors file has at least 8".formatted(size));
      }
      MemorySegment all = channel.map(FileChannel.MapMode.READ_ONLY, 0, size, arena);
      long headerBytes =
          all.get(ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0);
      if (headerBytes < 2 || headerBytes > MAX_HEADER_BYTES || headerBytes > size - 8) {
        throw new WeightFileException(
            file,
            "claims a header of %s bytes; the file has %d and the limit is %d"
                .formatted(Long.toUnsignedString(headerBytes), size, MAX_HEADER_BYTES));
      }
      byte[] header = all.asSlice(8, headerBytes).toArray(ValueLayout.JAVA_BYTE);
      headers.put(file.getFileName().toString(), header);
      read(file, UntrustedJson.parse(file, header), all.asSlice(8 + headerBytes));
    }
  }

  private void read(Path file, JsonNode header, MemorySegment data) {
    record Range(String name, long begin, long end) {}
    List<Range> ranges = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : header.properties()) {
      String name = entry.getKey();
      if (name.equals("__metadata__")) {
        continue;
      }
      JsonNode offsets = entry.getValue().path("data_offsets");
      long begin = wholeNumber(file, name, "data_offsets", offsets.path(0));
      long end = wholeNumber(file, name, "data_offsets", offsets.path(1));
      if (begin > end || end > data.byteSize()) {
        throw new WeightFileException(
            file,
            ("tensor %s is at offsets %d to %d; the file holds %d bytes of tensors (is the file"
                    + " truncated?)")
                .formatted(name, begin, end, data.byteSize()));
      }
      ranges.add(new Range(name, begin, end));
      tensor(file, name, entry.getValue(), data.asSlice(begin, end - begin));
    }
    ranges.sort(Comparator.comparingLong(Range::begin).thenComparingLong(Range::end));
    for (int i = 1; i < ranges.size(); i++) {
      if (ranges.get(i).begin() < ranges.get(i - 1).end()) {
        throw new WeightFileException(
            file,
            "tensors %s and %s overlap".formatted(ranges.get(i - 1).name(), ranges.get(i).name()));
      }
    }
  }

  private void tensor(Path file, String name, JsonNode entry, MemorySegment data) {
    String type = entry.path("dtype").asText();
    DType dtype =
        switch (type) {
          case "F32" -> DType.F32;
          case "F16" -> DType.F16;
          case "BF16" -> DType.BF16;
          default -> null;
        };
    if (dtype == null) {
      otherTypes.put(name, new OtherType(file, UntrustedJson.show(type)));
      return;
    }
    List<Long> shape = new ArrayList<>();
    long elements = 1;
    JsonNode dimensions = entry.path("shape");
    if (!dimensions.isArray() || dimensions.size() > MAX_DIMENSIONS) {
      throw new WeightFileException(
          file,
          "tensor %s has shape %s; a shape is an array of at most %d dimensions"
              .formatted(name, show(dimensions), MAX_DIMENSIONS));
    }
    for (JsonNode dimension : dimensions) {
      long length = wholeNumber(file, name, "shape", dimension);
      shape.add(length);
      if (length != 0 && elements > Long.MAX_VALUE / 8 / length) {
        throw new WeightFileException(
            file, "tensor %s has shape %s, which is too large".formatted(name, show(dimensions)));
      }
      elements *= length;
    }
    if (dtype.byteSize(elements) != data.byteSize()) {
      throw new WeightFileException(
          file,
          "tensor %s of shape %s and type %s needs %d bytes but has %d"
              .formatted(name, shape, type, dtype.byteSize(elements), data.byteSize()));
    }
    if (tensors.put(name, new Tensor(file, name, dtype, List.copyOf(shape), data)) != null) {
      throw new WeightFileException(file, "tensor %s is in two files".formatted(name));
    }
  }

  private static long wholeNumber(Path file, String tensor, String field, JsonNode node) {
    if (!node.isIntegralNumber() || !node.canConvertToLong() || node.asLong() < 0) {
      throw new WeightFileException(
          file,
          "tensor %s: %s holds %s; it must hold whole numbers from 0 to 2^63 - 1"
              .formatted(tensor, field, show(node)));
    }
    return node.asLong();
  }

  private static String show(JsonNode node) {
    return node.isMissingNode() ? "nothing" : UntrustedJson.show(node);
  }
}

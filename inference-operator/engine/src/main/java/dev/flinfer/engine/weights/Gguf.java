package dev.flinfer.engine.weights;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A GGUF file, versions 2 and 3, little-endian: mapped, not read.
 *
 * <p>Format: {@code GGUF}, version, number of tensors, number of key-value pairs, the pairs, the
 * tensors' names, shapes, types and offsets, and, from the next multiple of the alignment on, their
 * bytes; see <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">the format's
 * page</a>.
 */
public final class Gguf implements AutoCloseable {
  private static final int MAGIC = 0x46554747; // "GGUF"
  private static final int MAX_TENSORS = 1 << 16;

  /** The format's limits. */
  private static final int MAX_NAME = 64;

  private static final int MAX_DIMENSIONS = 4;

  /** Types by their numbers in the format; unsupported types have no entry. */
  private static final Map<Integer, DType> TYPES =
      Map.ofEntries(
          Map.entry(0, DType.F32),
          Map.entry(1, DType.F16),
          Map.entry(2, DType.Q4_0),
          Map.entry(3, DType.Q4_1),
          Map.entry(6, DType.Q5_0),
          Map.entry(7, DType.Q5_1),
          Map.entry(8, DType.Q8_0),
          Map.entry(12, DType.Q4_K),
          Map.entry(13, DType.Q5_K),
          Map.entry(14, DType.Q6_K),
          Map.entry(30, DType.BF16));

  private final Arena arena = Arena.ofShared();
  private final Path file;
  private final Map<String, Tensor> tensors = new TreeMap<>(); // sorted, for the digest

  /** Tensors of unsupported types, with the type's number; refused only if they are needed. */
  private final Map<String, Integer> otherTypes = new HashMap<>();

  private MemorySegment header;
  private GgufMetadata metadata;

  /** A tensor's entry in the header; {@code shape} is outermost dimension first. */
  private record Info(String name, List<Long> shape, int type, long offset) {}

  private Gguf(Path file) {
    this.file = file;
  }

  /** Maps a file and checks its header. */
  public static Gguf open(Path file) {
    Gguf gguf = new Gguf(file);
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      gguf.read(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), gguf.arena));
      return gguf;
    } catch (IOException e) {
      gguf.close();
      throw new WeightFileException(file, "cannot be read: " + e, e);
    } catch (RuntimeException e) {
      gguf.close();
      throw e;
    }
  }

  /** The key-value pairs. */
  public GgufMetadata metadata() {
    return metadata;
  }

  /** The names of all tensors, sorted. */
  public Set<String> names() {
    Set<String> names = new TreeSet<>(tensors.keySet());
    names.addAll(otherTypes.keySet());
    return names;
  }

  /** Whether the file has a tensor of this name. */
  public boolean has(String name) {
    return tensors.containsKey(name) || otherTypes.containsKey(name);
  }

  /** Returns a tensor by its name in the file. */
  public Tensor get(String name) {
    if (otherTypes.containsKey(name)) {
      throw new WeightFileException(
          file,
          ("tensor %s has type number %d; supported are F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0,"
                  + " Q5_1, Q4_K, Q5_K and Q6_K")
              .formatted(name, otherTypes.get(name)));
    }
    Tensor tensor = tensors.get(name);
    if (tensor == null) {
      throw new WeightFileException(
          file, "tensor %s is missing; the file is not a complete Phi-2 model".formatted(name));
    }
    return tensor;
  }

  /** Returns a tensor by its name in the file, after checking its shape. */
  public Tensor get(String name, long... shape) {
    return get(name).withShape("the metadata require", shape);
  }

  /** See {@link Checkpoint#fingerprint}. */
  public void fingerprint(MessageDigest digest) {
    digest.update(header.asByteBuffer());
    tensors.values().forEach(tensor -> tensor.sampleTo(digest));
  }

  @Override
  public void close() {
    arena.close();
  }

  private void read(MemorySegment all) {
    GgufCursor cursor = new GgufCursor(file, all);
    if (all.byteSize() < 4 || cursor.int32("the magic number") != MAGIC) {
      throw cursor.error(
          "does not begin with GGUF; flinfer.model is a GGUF file or a model directory");
    }
    int version = cursor.int32("the version");
    if (version != 2 && version != 3) {
      String found = (version & 0xFFFF) == 0 ? "is big-endian" : "has version " + version;
      throw cursor.error(
          found
              + "; little-endian files of versions 2 and 3 are supported. Convert the model again");
    }
    // A tensor's entry takes at least 24 bytes: name, dimensions, type, offset.
    long count = cursor.count("the number of tensors", MAX_TENSORS, 24);
    metadata = new GgufMetadata(file, cursor, GgufMetadata.pairs(cursor));
    if (metadata.has("split.count") && metadata.integer("split.count", 0, 1 << 16) > 1) {
      throw cursor.error(
          "is one part of %d; merge the parts with llama-gguf-split --merge"
              .formatted(metadata.integer("split.count", 0, 1 << 16)));
    }
    List<Info> infos = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      infos.add(info(cursor, i));
    }
    header = all.asSlice(0, cursor.position());
    long alignment = alignment();
    long start = (cursor.position() + alignment - 1) / alignment * alignment;
    // A file without tensors may end with its header.
    place(infos, alignment, all.asSlice(Math.min(start, all.byteSize())));
  }

  private long alignment() {
    String key = "general.alignment";
    int alignment = metadata.has(key) ? metadata.integer(key, 1, 1 << 20) : 32;
    if (Integer.bitCount(alignment) != 1) {
      throw new WeightFileException(
          file, "general.alignment is %d; it must be a power of two".formatted(alignment));
    }
    return alignment;
  }

  private Info info(GgufCursor cursor, long index) {
    String name = cursor.string("the name of tensor " + index, MAX_NAME);
    int dimensions = cursor.int32("the dimensions of tensor " + name);
    if (dimensions < 1 || dimensions > MAX_DIMENSIONS) {
      throw cursor.error(
          "tensor %s has %s dimensions; the format allows 1 to %d"
              .formatted(name, Integer.toUnsignedString(dimensions), MAX_DIMENSIONS));
    }
    List<Long> shape = new ArrayList<>();
    for (int i = 0; i < dimensions; i++) {
      shape.add(0, cursor.int64("the shape of tensor " + name)); // innermost first in the file
    }
    int type = cursor.int32("the type of tensor " + name);
    return new Info(name, List.copyOf(shape), type, cursor.int64("the offset of tensor " + name));
  }

  private void place(List<Info> infos, long alignment, MemorySegment data) {
    List<Info> ordered = new ArrayList<>(infos);
    ordered.sort(Comparator.comparingLong(Info::offset));
    long end = 0;
    String before = null;
    for (Info info : ordered) {
      if (info.offset < 0 || info.offset > data.byteSize() || info.offset % alignment != 0) {
        throw new WeightFileException(
            file,
            ("tensor %s is at offset %s; the offset must be a multiple of %d within the file's %d"
                    + " bytes of tensors (is the file truncated?)")
                .formatted(
                    info.name, Long.toUnsignedString(info.offset), alignment, data.byteSize()));
      }
      if (info.offset < end) {
        throw new WeightFileException(
            file, "tensors %s and %s overlap".formatted(before, info.name));
      }
      end = info.offset + add(info, data);
      before = info.name;
    }
  }

  /** Adds the tensor and returns its length in bytes, 0 for unsupported types. */
  private long add(Info info, MemorySegment data) {
    DType dtype = TYPES.get(info.type);
    if (has(info.name)) {
      throw new WeightFileException(file, "has the tensor %s twice".formatted(info.name));
    }
    if (dtype == null) {
      otherTypes.put(info.name, info.type);
      return 0;
    }
    long bytes = dtype.byteSize(elements(info, dtype));
    if (bytes > data.byteSize() - info.offset) {
      throw new WeightFileException(
          file,
          ("tensor %s of shape %s and type %s is at offsets %d to %d; the file holds %d bytes of"
                  + " tensors (is the file truncated?)")
              .formatted(
                  info.name, info.shape, dtype, info.offset, info.offset + bytes, data.byteSize()));
    }
    MemorySegment elements = data.asSlice(info.offset, bytes);
    tensors.put(info.name, new Tensor(file, info.name, dtype, info.shape, elements));
    return bytes;
  }

  private long elements(Info info, DType dtype) {
    long elements = 1;
    for (long dimension : info.shape) {
      if (dimension < 1 || elements > (1L << 48) / dimension) {
        throw new WeightFileException(
            file,
            "tensor %s has shape %s; dimensions must be at least 1 and elements at most 2^48"
                .formatted(info.name, info.shape.stream().map(Long::toUnsignedString).toList()));
      }
      elements *= dimension;
    }
    long row = info.shape.get(info.shape.size() - 1);
    if (row % dtype.blockSize() != 0) {
      throw new WeightFileException(
          file,
          "tensor %s has rows of %d elements; for type %s it must be a multiple of %d"
              .formatted(info.name, row, dtype, dtype.blockSize()));
    }
    return elements;
  }
}

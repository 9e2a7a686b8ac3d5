package dev.flinfer.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.management.ThreadMXBean;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.WeightFileException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.Stream;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/**
 * Valid files with random damage: they load, or an error names the file and the problem. No other
 * exception occurs, no endless loop, and no allocation only because a header claims a size.
 */
class HostileFilesTest {
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** A try takes a millisecond, and longer on a busy machine. */
  private static final Duration LIMIT = Duration.ofSeconds(30);

  /** About a hundred times the size of the files; headers claim gigabytes. */
  private static final long MAX_ALLOCATION = 96L << 20;

  private static final String CONFIG = "config.json";
  private static final String TOKENIZER = "tokenizer.json";
  private static final String WEIGHTS = "model.safetensors";
  private static final String INDEX = "model.safetensors.index.json";

  private static Path directory;
  private static Path whole; // a model in one file
  private static Path shards; // a model in three files
  private static Path gguf;

  @BeforeContainer
  static void write() throws IOException {
    directory = Files.createTempDirectory("hostile-files");
    whole = directory.resolve("whole");
    RandomCheckpoint.write(whole, RandomCheckpoint.Shape.ODD, DType.F16, 1);
    addMerges(whole.resolve(TOKENIZER));
    shards = directory.resolve("shards");
    RandomCheckpoint.write(shards, RandomCheckpoint.Shape.ODD, DType.F32, 2, 3);
    gguf = directory.resolve("whole.gguf");
    RandomGguf.write(gguf, RandomGguf.BLOCKS_OF_32, DType.Q8_0, 3);
  }

  @AfterContainer
  static void delete() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    }
  }

  private static void addMerges(Path file) throws IOException {
    ObjectMapper json = new ObjectMapper();
    ObjectNode root = (ObjectNode) json.readTree(file.toFile());
    ObjectNode model = (ObjectNode) root.get("model");
    model.withObjectProperty("vocab").put("th", 257).put("the", 258);
    model.withArray("merges").add("t h").addArray().add("th").add("e");
    Files.writeString(file, root.toString());
  }

  @Property(tries = 250, edgeCases = EdgeCasesMode.NONE, shrinking = ShrinkingMode.OFF)
  void config(@ForAll long seed) throws IOException {
    check(whole, CONFIG, json -> new Damage(seed).ofJson(json));
  }

  @Property(tries = 250, edgeCases = EdgeCasesMode.NONE, shrinking = ShrinkingMode.OFF)
  void tokenizer(@ForAll long seed) throws IOException {
    check(whole, TOKENIZER, json -> new Damage(seed).ofJson(json));
  }

  @Property(tries = 250, edgeCases = EdgeCasesMode.NONE, shrinking = ShrinkingMode.OFF)
  void safetensorsHeader(@ForAll long seed) throws IOException {
    check(whole, WEIGHTS, bytes -> withHeader(bytes, new Damage(seed)));
  }

  @Property(tries = 250, edgeCases = EdgeCasesMode.NONE, shrinking = ShrinkingMode.OFF)
  void safetensorsIndex(@ForAll long seed) throws IOException {
    check(shards, INDEX, json -> new Damage(seed).ofJson(json));
  }

  @Property(tries = 250, edgeCases = EdgeCasesMode.NONE, shrinking = ShrinkingMode.OFF)
  void bytes(@ForAll long seed) throws IOException {
    String file = new String[] {CONFIG, TOKENIZER, WEIGHTS}[(int) Math.floorMod(seed, 3)];
    check(whole, file, bytes -> new Damage(seed).ofBytes(bytes, 12_000));
  }

  @Property(tries = 500, edgeCases = EdgeCasesMode.NONE, shrinking = ShrinkingMode.OFF)
  void ggufHeader(@ForAll long seed) throws IOException {
    Path broken = directory.resolve("broken.gguf");
    Files.write(broken, new Damage(seed).ofBytes(Files.readAllBytes(gguf), 12_000));
    loadsOrFailsWithTheProblem(broken, broken.toString());
  }

  /** The damage to one file. */
  private interface Change {
    byte[] of(byte[] valid);
  }

  /** Loads the model with one of its files damaged, and restores the file. */
  private static void check(Path model, String file, Change change) throws IOException {
    byte[] valid = Files.readAllBytes(model.resolve(file));
    try {
      Files.write(model.resolve(file), change.of(valid));
      // A tensor that is missing in three shards is in none of them, so the error names the
      // directory.
      loadsOrFailsWithTheProblem(model, model + (model.equals(shards) ? "" : "/"));
    } finally {
      Files.write(model.resolve(file), valid);
    }
  }

  private static byte[] withHeader(byte[] file, Damage damage) {
    int end = 8 + (int) ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getLong();
    byte[] header = damage.ofJson(Arrays.copyOfRange(file, 8, end));
    return ByteBuffer.allocate(8 + header.length + file.length - end)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(header.length)
        .put(header)
        .put(file, end, file.length - end)
        .array();
  }

  private static void loadsOrFailsWithTheProblem(Path model, String named) {
    assertTimeoutPreemptively(
        LIMIT,
        () -> {
          long before = THREADS.getCurrentThreadAllocatedBytes();
          try (ModelFiles files = ModelFiles.open(model.toString())) {
            PhiWeights.of(files.checkpoint(), files.config());
            int[] tokens = files.tokenizer().encode("the end <|endoftext|>");
            assertThat(tokens).isNotEmpty();
          } catch (WeightFileException e) {
            assertThat(e.getMessage()).startsWith(named).contains(": ").hasSizeLessThan(1300);
          }
          assertThat(THREADS.getCurrentThreadAllocatedBytes() - before).isLessThan(MAX_ALLOCATION);
        });
  }
}

package dev.flinfer.engine.model;

import dev.flinfer.engine.weights.Checkpoint;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;

/**
 * A published model's shape with random weights in F16, so that speed can be measured without its
 * files. The text that it generates is meaningless. All tensors are views of one array, which is
 * possible because the backend copies them.
 */
public final class RandomPhi implements Checkpoint {
  /** The number of random values, after which they repeat. */
  private static final int PERIOD = 1 << 20;

  private static final double DEVIATION = 0.02;

  private static final Map<String, PhiConfig> SHAPES =
      Map.of(
          "phi-1", phi1(),
          "phi-1.5", phi1(),
          "phi-2", new PhiConfig(2560, 10240, 32, 32, 32, 51200, 2048, 10000, 1e-5, Set.of()));

  private final Path name;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment values;

  /** Generates the weights of a model that {@link #config} knows. */
  public RandomPhi(String name) {
    PhiConfig config = config(name);
    this.name = Path.of("random:" + name);
    long largest =
        (long) config.hiddenSize() * Math.max(config.vocabSize(), config.intermediateSize());
    this.values = arena.allocate(largest * Short.BYTES);
    Random random = new Random(1);
    short[] fp16 = new short[PERIOD];
    for (int i = 0; i < PERIOD; i++) {
      fp16[i] = Float.floatToFloat16((float) (DEVIATION * random.nextGaussian()));
    }
    for (long at = 0; at < largest; at += PERIOD) {
      int count = (int) Math.min(PERIOD, largest - at);
      MemorySegment.copy(fp16, 0, values, ValueLayout.JAVA_SHORT, at * Short.BYTES, count);
    }
  }

  private static PhiConfig phi1() {
    return new PhiConfig(2048, 8192, 24, 32, 32, 51200, 2048, 10000, 1e-5, Set.of());
  }

  /** Returns the shape of phi-1, phi-1.5 or phi-2. */
  public static PhiConfig config(String name) {
    PhiConfig config = SHAPES.get(name);
    if (config == null) {
      throw new IllegalArgumentException(
          "random model %s is unknown; use one of %s"
              .formatted(name, String.join(", ", new TreeSet<>(SHAPES.keySet()))));
    }
    return config;
  }

  @Override
  public Tensor get(String tensor, long... shape) {
    long elements = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    return new Tensor(
        name,
        tensor,
        DType.F16,
        Arrays.stream(shape).boxed().toList(),
        values.asSlice(0, elements * Short.BYTES));
  }

  @Override
  public void fingerprint(MessageDigest digest) {
    digest.update(name.toString().getBytes(StandardCharsets.UTF_8));
  }

  @Override
  public void close() {
    arena.close();
  }
}

package dev.flinfer.engine.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.flinfer.engine.KvCacheType;
import dev.flinfer.engine.RandomCheckpoint;
import dev.flinfer.engine.ReferenceQuants;
import dev.flinfer.engine.device.NaivePhi;
import dev.flinfer.engine.device.StepBuffers;
import dev.flinfer.engine.model.PhiConfig;
import dev.flinfer.engine.model.PhiWeights;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.Safetensors;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Weights converted on load are those that a file of that type would hold. */
final class WeightConversionTest {
  @TempDir Path directory;

  @ParameterizedTest
  @EnumSource(names = {"F32", "BF16", "Q8_0", "Q4_0"})
  void matricesAreRoundedToTheType(DType type) {
    for (RandomCheckpoint.Shape shape :
        new RandomCheckpoint.Shape[] {RandomCheckpoint.Shape.ODD, RandomCheckpoint.Shape.EVEN}) {
      Path model = directory.resolve(type + "-" + shape.hidden());
      RandomCheckpoint checkpoint = RandomCheckpoint.write(model, shape, DType.F16, 5);
      int[] tokens = new Random(6).ints(12, 0, shape.vocab()).toArray();
      double[][] expected = new NaivePhi(converted(checkpoint, type)).logits(tokens);
      float[] actual = logits(model, tokens, type);
      for (int i = 0; i < actual.length; i++) {
        assertThat((double) actual[i])
            .as("%s %s logit %d", type, shape, i)
            .isCloseTo(expected[i / shape.vocab()][i % shape.vocab()], within(2e-4));
      }
    }
  }

  private static float[] logits(Path model, int[] tokens, DType type) {
    PhiConfig config = PhiConfig.load(model);
    try (Safetensors files = Safetensors.open(model);
        CpuForwardPass forward =
            new CpuForwardPass(
                config,
                PhiWeights.of(files, config),
                new CpuOptions(1, KvCacheType.F32, 12, 2, type))) {
      int[] rows = IntStream.range(0, tokens.length).toArray();
      float[] logits = new float[tokens.length * config.vocabSize()];
      int[] sequences = new int[tokens.length];
      forward.forward(new StepBuffers(tokens, rows, sequences, new int[][] {{0}}, rows), logits);
      return logits;
    }
  }

  /** The embedding is gathered, not multiplied, and stays as it is; so do vectors. */
  private static RandomCheckpoint converted(RandomCheckpoint checkpoint, DType type) {
    Map<String, float[]> tensors = new LinkedHashMap<>();
    checkpoint
        .tensors()
        .forEach(
            (name, values) -> {
              boolean matrix = name.endsWith("weight") && !name.contains("norm");
              boolean multiplied = matrix && !name.contains("embed");
              int rows = matrix ? checkpoint.tensors().get(biasOf(name)).length : 1;
              tensors.put(name, multiplied ? rounded(values, rows, type) : values);
            });
    return new RandomCheckpoint(checkpoint.shape(), tensors);
  }

  private static String biasOf(String weight) {
    return weight.contains("embed") ? "lm_head.bias" : weight.replace(".weight", ".bias");
  }

  /** Rows that are not whole blocks are as if zeros followed. */
  private static float[] rounded(float[] values, int rows, DType type) {
    int width = values.length / rows;
    int padded = (width + type.blockSize() - 1) / type.blockSize() * type.blockSize();
    float[] result = new float[values.length];
    for (int row = 0; row < rows; row++) {
      float[] whole =
          Arrays.copyOf(Arrays.copyOfRange(values, row * width, (row + 1) * width), padded);
      System.arraycopy(new ReferenceQuants(type, whole).values(), 0, result, row * width, width);
    }
    return result;
  }
}

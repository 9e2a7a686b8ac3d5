package dev.flinfer.engine.cpu;

import dev.flinfer.engine.model.PhiWeights.Affine;
import dev.flinfer.engine.model.RandomPhi;
import dev.flinfer.engine.weights.DType;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The two products of a Phi-2 layer in Java; docs/performance.md has the command. The matrices take
 * turns, so that they come from memory as they do in a forward pass.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 3, time = 2)
public class MatrixProductsBenchmark {
  private static final int HIDDEN = 2560;
  private static final int INTERMEDIATE = 10240;
  private static final int MATRICES = 8;

  @Param({"F32", "F16", "BF16", "Q8_0", "Q4_0"})
  private DType weights;

  @Param({"1", "8", "32"})
  private int rows;

  /** q, k, v and fc1 stacked, or dense and fc2 side by side. */
  @Param({"17920x2560", "2560x12800"})
  private String shape;

  @Param("2")
  private int threads;

  private final List<Matrix> matrices = new ArrayList<>();
  private final Arena arena = Arena.ofShared();
  private WorkerTeam team;
  private Operands operands;
  private int next;

  @Setup
  public void pack() {
    team = new WorkerTeam(threads);
    MatrixProducts products = new JavaProducts(weights, arena, team);
    try (RandomPhi random = new RandomPhi("phi-2")) {
      Affine square = affine(random, HIDDEN, HIDDEN);
      boolean in = shape.equals("17920x2560");
      for (int i = 0; i < MATRICES; i++) {
        matrices.add(
            in
                ? products.stacked(
                    List.of(square, square, square, affine(random, INTERMEDIATE, HIDDEN)))
                : products.sideBySide(List.of(square, affine(random, HIDDEN, INTERMEDIATE))));
      }
      int inputs = in ? HIDDEN : HIDDEN + INTERMEDIATE;
      int outputs = matrices.get(0).stride();
      float[] x = new float[rows * inputs];
      Random numbers = new Random(1);
      for (int i = 0; i < x.length; i++) {
        x[i] = (float) numbers.nextGaussian();
      }
      operands = new Operands(x, inputs, new float[rows * outputs], outputs, rows);
    }
  }

  private static Affine affine(RandomPhi random, int outputs, int inputs) {
    return new Affine(random.get("weight", outputs, inputs), random.get("bias", outputs));
  }

  @Benchmark
  public float[] product() {
    matrices.get(next).multiply(operands, Matrix.Outputs.REPLACED, team);
    next = (next + 1) % MATRICES;
    return operands.y();
  }

  @TearDown
  public void close() {
    team.close();
    arena.close();
  }
}

package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Matrix.Outputs.ADDED_TO;
import static dev.flinfer.engine.cpu.Matrix.Outputs.REPLACED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.flinfer.engine.ReferenceQuants;
import dev.flinfer.engine.model.PhiWeights.Affine;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What every provider of matrix products must do. A subclass makes its matrices; that is all. */
abstract class MatrixProductsContract {
  private static final int MOST_ROWS = 37;
  private static final int GAP = 3; // numbers between the rows
  private static final float UNTOUCHED = 12345.5f;

  private final Arena arena = Arena.ofShared();
  private final List<WorkerTeam> teams = new ArrayList<>();
  private final Random random = new Random(11);
  private MatrixProducts products;

  /** The provider, running the matrices in the types they are stored in as far as it has them. */
  abstract MatrixProducts open(Arena arena, WorkerTeam team, int maxRows);

  /** How far an output may be off, as a share of the sum of the sizes of all that is added up. */
  abstract double tolerance(int inputs);

  @BeforeEach
  void open() {
    products = open(arena, team(2), MOST_ROWS);
  }

  @AfterEach
  void close() {
    if (products != null) {
      products.close();
    }
    teams.forEach(WorkerTeam::close);
    arena.close();
  }

  /** A stored matrix and the numbers that it stands for. */
  private record Weights(Affine affine, int outputs, int inputs, float[] values, float[] bias) {}

  /** Matrices put together, and what their product should be. */
  private record Case(Matrix product, boolean stacked, List<Weights> parts) {
    int outputs() {
      return stacked ? parts.stream().mapToInt(Weights::outputs).sum() : parts.get(0).outputs();
    }

    int inputs() {
      return stacked ? parts.get(0).inputs() : parts.stream().mapToInt(Weights::inputs).sum();
    }

    int xStride() {
      return inputs() + GAP;
    }

    int yStride() {
      return product.stride() + GAP;
    }

    void multiply(float[] x, float[] y, int rows, Matrix.Outputs outputs, WorkerTeam team) {
      product.multiply(new Operands(x, xStride(), y, yStride(), rows), outputs, team);
    }
  }

  @ParameterizedTest
  @EnumSource
  void productsAreCloseToThoseInDoublePrecision(DType type) {
    for (Case c : cases(type)) {
      for (int rows : new int[] {1, 2, 3, 4, 7, MOST_ROWS}) {
        for (boolean add : new boolean[] {false, true}) {
          float[] x = floats(rows * c.xStride());
          float[] before = add ? floats(rows * c.yStride()) : filled(rows * c.yStride());
          float[] y = before.clone();
          c.multiply(x, y, rows, add ? ADDED_TO : REPLACED, team(2));
          for (int row = 0; row < rows; row++) {
            assertRow(c, x, add ? before : null, y, row);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void nothingIsWrittenBetweenTheRows(DType type) {
    for (Case c : cases(type)) {
      for (boolean add : new boolean[] {false, true}) {
        float[] y = filled(5 * c.yStride());
        float[] x = floats(5 * c.xStride());
        c.multiply(x, y, 5, add ? ADDED_TO : REPLACED, team(2));
        for (int row = 0; row < 5; row++) {
          int gap = row * c.yStride() + c.product().stride();
          assertThat(Arrays.copyOfRange(y, gap, gap + GAP)).containsOnly(UNTOUCHED);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aRowsBitsDependOnNothingButTheRow(DType type) {
    for (Case c : cases(type)) {
      float[] row = floats(c.inputs());
      int[] alone = bits(c, row, 1, 0, false, 1);
      for (int threads = 1; threads <= 3; threads++) {
        for (int rows = 1; rows <= MOST_ROWS; rows++) {
          int at = random.nextInt(rows);
          assertThat(bits(c, row, rows, at, false, threads))
              .as("%s, row %d of %d on %d threads", type, at, rows, threads)
              .isEqualTo(alone);
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void aRowsBitsDoNotDependOnNeighboursThatOverflow(DType type) {
    for (Case c : cases(type)) {
      float[] row = floats(c.inputs());
      int[] alone = bits(c, row, 1, 0, false, 1);
      for (int rows : new int[] {2, 4, 5, 9}) {
        for (int at = 0; at < rows; at++) {
          assertThat(bits(c, row, rows, at, true, 2))
              .as("%s, row %d of %d", type, at, rows)
              .isEqualTo(alone);
        }
      }
    }
  }

  /** The outputs of {@code row} as row {@code at} among others. */
  private int[] bits(Case c, float[] row, int rows, int at, boolean overflow, int threads) {
    float[] x = floats(rows * c.xStride());
    if (overflow) {
      for (int i = 0; i < x.length; i++) {
        x[i] = i % 3 == 0 ? Float.NaN : Float.POSITIVE_INFINITY;
      }
    }
    System.arraycopy(row, 0, x, at * c.xStride(), row.length);
    float[] y = filled(rows * c.yStride());
    c.multiply(x, y, rows, REPLACED, team(threads));
    int[] bits = new int[c.outputs()];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(y[at * c.yStride() + i]);
    }
    return bits;
  }

  private void assertRow(Case c, float[] x, float[] before, float[] y, int row) {
    for (int output = 0; output < c.outputs(); output++) {
      int at = row * c.yStride() + output;
      double sum = before == null ? 0 : before[at];
      double size = Math.abs(sum);
      int first = 0; // output or input of the part
      for (Weights part : c.parts()) {
        int own = c.stacked() ? output - first : output;
        if (own >= 0 && own < part.outputs()) {
          sum += part.bias()[own];
          size += Math.abs(part.bias()[own]);
          int xAt = row * c.xStride() + (c.stacked() ? 0 : first);
          for (int k = 0; k < part.inputs(); k++) {
            double term = (double) x[xAt + k] * part.values()[own * part.inputs() + k];
            sum += term;
            size += Math.abs(term);
          }
        }
        first += c.stacked() ? part.outputs() : part.inputs();
      }
      assertThat((double) y[at])
          .as("output %d of row %d", output, row)
          .isCloseTo(sum, within(size * tolerance(c.inputs())));
    }
  }

  /**
   * Whole and odd numbers of outputs; odd inputs where the type has no blocks; more inputs than a
   * tile of Java's products has.
   */
  private List<Case> cases(DType type) {
    int block = type.blockSize();
    int odd = block == 1 ? 37 : block;
    int deep = block == 1 ? Tile.DEPTH + 45 : Tile.DEPTH + block;
    return List.of(
        stack(weights(type, 33, odd)),
        stack(weights(type, 64, deep), weights(DType.F32, 32, deep), weights(type, 5, deep)),
        stack(weights(type, 7, odd), weights(type, 90, odd)),
        sides(weights(type, 41, odd), weights(type, 41, deep)),
        sides(weights(type, 96, deep), weights(DType.BF16, 96, 19)));
  }

  private Case stack(Weights... parts) {
    List<Affine> matrices = Arrays.stream(parts).map(Weights::affine).toList();
    return new Case(products.stacked(matrices), true, List.of(parts));
  }

  private Case sides(Weights... parts) {
    List<Affine> matrices = Arrays.stream(parts).map(Weights::affine).toList();
    return new Case(products.sideBySide(matrices), false, List.of(parts));
  }

  private Weights weights(DType type, int outputs, int inputs) {
    ReferenceQuants quants = new ReferenceQuants(type, weightValues(outputs * inputs));
    float[] bias = floats(outputs);
    Tensor weight = tensor(type, quants.bytes(), (long) outputs, (long) inputs);
    Tensor biases = tensor(DType.F32, new ReferenceQuants(DType.F32, bias).bytes(), (long) outputs);
    return new Weights(new Affine(weight, biases), outputs, inputs, quants.values(), bias);
  }

  private Tensor tensor(DType type, byte[] bytes, Long... shape) {
    MemorySegment data = arena.allocate(bytes.length, 64);
    MemorySegment.copy(MemorySegment.ofArray(bytes), 0, data, 0, bytes.length);
    return new Tensor(Path.of("matrix"), "weight", type, List.of(shape), data);
  }

  /** What weights are stored from. */
  float[] weightValues(int count) {
    return floats(count);
  }

  private float[] floats(int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  private static float[] filled(int count) {
    float[] values = new float[count];
    Arrays.fill(values, UNTOUCHED);
    return values;
  }

  /** One team of each size for a test. */
  private WorkerTeam team(int threads) {
    while (teams.size() < threads) {
      teams.add(new WorkerTeam(teams.size() + 1));
    }
    return teams.get(threads - 1);
  }
}

package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.MatMulKernel.WIDTH;

import dev.flinfer.engine.model.PhiWeights.Affine;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/**
 * A weight matrix and its bias, outside the Java heap, in the type it is stored in, laid out for
 * {@link MatMulKernel}: panels of WIDTH outputs, in each the inputs one after the other.
 *
 * <p>It can be put together from matrices that share their input (stacked by outputs: q, k, v and
 * fc1) or that are added up (side by side by inputs: dense and fc2), which makes two products of
 * six.
 */
final class PackedMatrix {
  /** Inputs widened to floats at a time: 256 x 64 floats are 64 KiB and stay in the L2 cache. */
  private static final int DEPTH = 256;

  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final int outputs;
  private final int inputs;
  private final DType dtype;
  private final MemorySegment panels; // (panels, inputs, WIDTH) of dtype
  private final float[] bias; // (panels * WIDTH)

  private PackedMatrix(int outputs, int inputs, DType dtype, Arena arena) {
    this.outputs = outputs;
    this.inputs = inputs;
    this.dtype = dtype;
    this.panels = arena.allocate((long) stride() * inputs * dtype.bytes(), 64);
    this.bias = new float[stride()];
  }

  /** The matrices under each other: the same input, the outputs one after the other. */
  static PackedMatrix stacked(List<Affine> parts, Arena arena, WorkerTeam team) {
    int outputs = parts.stream().mapToInt(p -> rows(p.weight())).sum();
    int inputs = columns(parts.get(0).weight());
    PackedMatrix packed = new PackedMatrix(outputs, inputs, common(parts), arena);
    int at = 0;
    for (Affine part : parts) {
      packed.pack(part, at, 0, team);
      at += rows(part.weight());
    }
    return packed;
  }

  /** The matrices side by side: the inputs one after the other, the outputs added up. */
  static PackedMatrix sideBySide(List<Affine> parts, Arena arena, WorkerTeam team) {
    int outputs = rows(parts.get(0).weight());
    int inputs = parts.stream().mapToInt(p -> columns(p.weight())).sum();
    PackedMatrix packed = new PackedMatrix(outputs, inputs, common(parts), arena);
    int at = 0;
    for (Affine part : parts) {
      packed.pack(part, 0, at, team);
      at += columns(part.weight());
    }
    return packed;
  }

  private static int rows(Tensor weight) {
    return Math.toIntExact(weight.shape().get(0));
  }

  private static int columns(Tensor weight) {
    return Math.toIntExact(weight.shape().get(1));
  }

  /** The type all parts have, else F32. */
  private static DType common(List<Affine> parts) {
    DType first = parts.get(0).weight().dtype();
    return parts.stream().allMatch(p -> p.weight().dtype() == first) ? first : DType.F32;
  }

  /** Length of a row of outputs: whole panels. */
  int stride() {
    return Lanes.roundUp(outputs, WIDTH);
  }

  private void pack(Affine part, int firstOutput, int firstInput, WorkerTeam team) {
    float[] partBias = part.bias().toFloats();
    for (int i = 0; i < partBias.length; i++) {
      bias[firstOutput + i] += partBias[i];
    }
    int rows = rows(part.weight());
    team.run(
        rows,
        WIDTH,
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            packRow(part.weight(), row, firstOutput + row, firstInput);
          }
        });
  }

  private void packRow(Tensor weight, int row, int output, int firstInput) {
    int columns = columns(weight);
    long from = (long) row * columns;
    long to = ((long) (output / WIDTH) * inputs + firstInput) * WIDTH + output % WIDTH;
    if (dtype == DType.F32) {
      float[] values = new float[columns];
      weight.copyTo(from, values, 0, columns);
      for (int k = 0; k < columns; k++) {
        panels.setAtIndex(ValueLayout.JAVA_FLOAT, to + (long) k * WIDTH, values[k]);
      }
    } else {
      for (int k = 0; k < columns; k++) {
        short bits = weight.data().get(SHORT, (from + k) * 2);
        panels.setAtIndex(ValueLayout.JAVA_SHORT, to + (long) k * WIDTH, bits);
      }
    }
  }

  /**
   * {@code y = x W^T + bias}, or {@code y += x W^T + bias}.
   *
   * @param x (rows, xStride), of which the first {@code inputs} of a row count
   * @param y (rows, yStride), {@code yStride} at least {@link #stride()}
   */
  void multiply(
      float[] x, int xStride, int rows, float[] y, int yStride, boolean add, WorkerTeam team) {
    team.run(
        stride() / WIDTH,
        1,
        (from, to, worker) -> {
          Tile tile = Tile.LOCAL.get();
          for (int panel = from; panel < to; panel++) {
            start(panel, rows, y, yStride, add);
            for (int k = 0; k < inputs; k += DEPTH) {
              int depth = Math.min(DEPTH, inputs - k);
              unpack(panel, k, depth, tile);
              product(x, k, xStride, rows, tile.weights, depth, y, panel * WIDTH, yStride);
            }
          }
        });
  }

  private static void product(
      float[] x,
      int xAt,
      int xStride,
      int rows,
      float[] w,
      int depth,
      float[] y,
      int yAt,
      int yStride) {
    int row = 0;
    for (; row + 4 <= rows; row += 4) {
      MatMulKernel.fourRows(
          x, xAt + row * xStride, xStride, w, depth, y, yAt + row * yStride, yStride);
    }
    for (; row < rows; row++) {
      MatMulKernel.row(x, xAt + row * xStride, w, depth, y, yAt + row * yStride);
    }
  }

  private void start(int panel, int rows, float[] y, int yStride, boolean add) {
    int first = panel * WIDTH;
    for (int row = 0; row < rows; row++) {
      int at = row * yStride + first;
      if (add) {
        for (int i = 0; i < WIDTH; i++) {
          y[at + i] += bias[first + i];
        }
      } else {
        System.arraycopy(bias, first, y, at, WIDTH);
      }
    }
  }

  private void unpack(int panel, int k, int depth, Tile tile) {
    long from = ((long) panel * inputs + k) * WIDTH;
    int count = depth * WIDTH;
    if (dtype == DType.F32) {
      MemorySegment.copy(panels, ValueLayout.JAVA_FLOAT, from * 4, tile.weights, 0, count);
      return;
    }
    // Copied first, because C2 vectorises the widening of an array and not that of a segment.
    MemorySegment.copy(panels, ValueLayout.JAVA_SHORT, from * 2, tile.bits, 0, count);
    if (dtype == DType.F16) {
      widenF16(tile.bits, tile.weights, count);
    } else {
      widenBf16(tile.bits, tile.weights, count);
    }
  }

  private static void widenF16(short[] bits, float[] floats, int count) {
    for (int i = 0; i < count; i++) {
      floats[i] = Float.float16ToFloat(bits[i]);
    }
  }

  private static void widenBf16(short[] bits, float[] floats, int count) {
    for (int i = 0; i < count; i++) {
      floats[i] = Float.intBitsToFloat(bits[i] << 16);
    }
  }

  /** A thread's tile of weights, as stored and widened. */
  private static final class Tile {
    static final ThreadLocal<Tile> LOCAL = ThreadLocal.withInitial(Tile::new);
    final short[] bits = new short[DEPTH * WIDTH];
    final float[] weights = new float[DEPTH * WIDTH];
  }
}

package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.DnnlProducts.SLICE;
import static dev.flinfer.engine.cpu.Panels.WIDTH;

import dev.flinfer.engine.model.PhiWeights.Affine;
import dev.flinfer.engine.weights.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A matrix in slices of outputs, each in oneDNN's layout. */
final class DnnlMatrix implements Matrix {
  private final DnnlProducts products;
  private final DnnlFormat format;
  private final int inputsAt; // position of the first input in a row
  private final int inputs;
  private final int outputs;
  private final int depth; // inputs, padded with zeros to a whole cache line
  private final float[] bias; // (outputs)
  private final float[] scales; // (outputs) of the weights
  private final MemorySegment[] layouts; // (slices) oneDNN's descriptions
  private final MemorySegment[] weights; // (slices) memory objects
  private final Map<Integer, Call[]> calls =
      new HashMap<>(); // by number of rows, one call per slice

  /** A slice's product, ready to run. */
  private record Call(
      MemorySegment product, MemorySegment arguments, MemorySegment sums, DnnlFormat.Slice slice) {}

  private DnnlMatrix(
      DnnlProducts products, DnnlFormat format, int inputsAt, int inputs, int outputs) {
    this.products = products;
    this.format = format;
    this.inputsAt = inputsAt;
    this.inputs = inputs;
    this.outputs = outputs;
    this.depth = DnnlProducts.depth(inputs, format);
    this.bias = new float[outputs];
    this.scales = new float[outputs];
    int slices = Lanes.roundUp(outputs, SLICE) / SLICE;
    this.layouts = new MemorySegment[slices];
    this.weights = new MemorySegment[slices];
  }

  /** Stacks matrices: their outputs follow each other. */
  static DnnlMatrix stacked(
      List<Affine> matrices, DnnlProducts products, DnnlFormat format, WorkerTeam team) {
    int outputs = matrices.stream().mapToInt(m -> dimension(m, 0)).sum();
    DnnlMatrix packed = new DnnlMatrix(products, format, 0, dimension(matrices.get(0), 1), outputs);
    int first = 0;
    for (Affine matrix : matrices) {
      packed.addBias(matrix, first);
      first += dimension(matrix, 0);
    }
    packed.pack(
        team,
        (output, row) -> {
          int at = output;
          int m = 0;
          while (at >= dimension(matrices.get(m), 0)) {
            at -= dimension(matrices.get(m++), 0);
          }
          copyRow(matrices.get(m).weight(), at, row, 0);
        });
    return packed;
  }

  /**
   * Places matrices side by side: their inputs follow each other.
   *
   * @param inputsAt where the first one's inputs begin in a row
   */
  static DnnlMatrix sideBySide(
      List<Affine> matrices,
      int inputsAt,
      DnnlProducts products,
      DnnlFormat format,
      WorkerTeam team) {
    int inputs = matrices.stream().mapToInt(m -> dimension(m, 1)).sum();
    DnnlMatrix packed =
        new DnnlMatrix(products, format, inputsAt, inputs, dimension(matrices.get(0), 0));
    matrices.forEach(matrix -> packed.addBias(matrix, 0));
    packed.pack(
        team,
        (output, row) -> {
          int at = 0;
          for (Affine matrix : matrices) {
            copyRow(matrix.weight(), output, row, at);
            at += dimension(matrix, 1);
          }
        });
    return packed;
  }

  /** Length of a matrix's side: 0 is that of its outputs, 1 that of its inputs. */
  static int dimension(Affine matrix, int index) {
    return Math.toIntExact(matrix.weight().shape().get(index));
  }

  private void addBias(Affine matrix, int first) {
    float[] own = matrix.bias().toFloats();
    for (int i = 0; i < own.length; i++) {
      bias[first + i] += own[i];
    }
  }

  /** Fills in the weights of an output. */
  private interface Rows {
    void read(int output, float[] row);
  }

  private static void copyRow(Tensor weight, int output, float[] row, int at) {
    float[] part = new float[Math.toIntExact(weight.shape().get(1))];
    weight.copyFiniteTo((long) output * part.length, part);
    System.arraycopy(part, 0, row, at, part.length);
  }

  /** All slices share one allocation, which gets huge pages where a single slice would not. */
  private void pack(WorkerTeam team, Rows rows) {
    long[] starts = new long[layouts.length];
    long bytes = 0;
    for (int slice = 0; slice < layouts.length; slice++) {
      layouts[slice] = products.weightsLayout(format, depth, width(slice));
      starts[slice] = bytes;
      bytes += NativeMemory.wholeLines(products.dnnl().bytesOf(layouts[slice]));
    }
    MemorySegment all = products.allocate(bytes);
    team.run(
        layouts.length,
        1,
        (from, to, worker) -> {
          for (int slice = from; slice < to; slice++) {
            pack(slice, rows, all.asSlice(starts[slice], products.dnnl().bytesOf(layouts[slice])));
          }
        });
  }

  private void pack(int slice, Rows rows, MemorySegment packed) {
    Dnnl dnnl = products.dnnl();
    int width = width(slice);
    weights[slice] = products.memory(layouts[slice], packed);
    try (Arena arena = Arena.ofConfined()) {
      long rowBytes = (long) depth * format.bytes();
      MemorySegment plain = arena.allocate(width * rowBytes, 64);
      float[] row = new float[inputs];
      for (int i = 0; i < width; i++) {
        int output = slice * SLICE + i;
        rows.read(output, row);
        scales[output] = format.encode(row, 0, inputs, plain, i * rowBytes);
      }
      MemorySegment layout = dnnl.describe(depth, width, format.type(), 1, depth);
      MemorySegment description = dnnl.describeReorder(layout, layouts[slice]);
      MemorySegment reorder = dnnl.primitive(description);
      MemorySegment source = dnnl.memory(layout, plain);
      dnnl.execute(
          reorder,
          products.stream(),
          Dnnl.arguments(arena, Dnnl.SRC, source, Dnnl.DST, weights[slice]));
      dnnl.destroy("memory", source);
      dnnl.destroy("primitive", reorder);
      dnnl.destroy("primitive_desc", description);
      dnnl.destroy("memory_desc", layout);
    }
  }

  private int width(int slice) {
    return Math.min(SLICE, outputs - slice * SLICE);
  }

  /** Bytes of a row of inputs. */
  long inputBytes() {
    return (long) depth * format.bytes();
  }

  @Override
  public int stride() {
    return Lanes.roundUp(outputs, WIDTH);
  }

  @Override
  public void multiply(Operands o, Outputs outputs, WorkerTeam team) {
    MemorySegment codes = products.inputs();
    float[] rowScales = products.rowScales();
    team.run(
        o.rows(),
        1,
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            long at = row * inputBytes();
            rowScales[row] = format.encode(o.x(), row * o.xStride() + inputsAt, inputs, codes, at);
            codes.asSlice(at, inputBytes()).asSlice((long) inputs * format.bytes()).fill((byte) 0);
          }
        });
    Call[] ready = calls.computeIfAbsent(products.padded(o.rows()), this::prepare);
    team.run(
        ready.length,
        1,
        (from, to, worker) -> {
          for (int slice = from; slice < to; slice++) {
            run(ready[slice], rowScales, o, outputs);
          }
        });
  }

  private void run(Call call, float[] rowScales, Operands o, Outputs outputs) {
    products.dnnl().execute(call.product(), products.stream(), call.arguments());
    DnnlFormat.Slice slice = call.slice();
    for (int row = 0; row < o.rows(); row++) {
      long sumsAt = (long) row * slice.width() * Float.BYTES;
      int yAt = row * o.yStride() + slice.first();
      format.decode(call.sums(), sumsAt, rowScales[row], slice, o.y(), yAt, outputs);
    }
  }

  private Call[] prepare(int rows) {
    Call[] ready = new Call[layouts.length];
    for (int slice = 0; slice < ready.length; slice++) {
      int width = width(slice);
      DnnlProducts.Product product = products.product(format, rows, layouts[slice], depth, width);
      MemorySegment sums = products.sums(slice);
      MemorySegment arguments =
          Dnnl.arguments(
              Arena.ofAuto(),
              Dnnl.SRC,
              products.inputsOf(format, rows, depth),
              Dnnl.WEIGHTS,
              weights[slice],
              Dnnl.DST,
              products.sumsOf(format, rows, width, slice),
              Dnnl.SCRATCHPAD,
              products.scratchpadOf(product, slice));
      DnnlFormat.Slice outputs = new DnnlFormat.Slice(slice * SLICE, width, scales, bias);
      ready[slice] = new Call(product.primitive(), arguments, sums, outputs);
    }
    return ready;
  }
}

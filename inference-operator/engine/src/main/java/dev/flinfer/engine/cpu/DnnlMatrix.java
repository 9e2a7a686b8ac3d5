package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.DnnlProducts.SLICE;
import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.Lanes.SPECIES;
import static dev.flinfer.engine.cpu.MatMulKernel.WIDTH;

import dev.flinfer.engine.model.PhiWeights.Affine;
import dev.flinfer.engine.weights.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/** A matrix in slices of outputs, each in oneDNN's layout. */
final class DnnlMatrix implements Matrix {
  private final DnnlProducts products;
  private final int inputs;
  private final int outputs;
  private final float[] bias; // (outputs)
  private final MemorySegment[] layouts; // (slices) of oneDNN's
  private final MemorySegment[] weights; // (slices) memory objects
  private final Map<Integer, Call[]> calls = new HashMap<>(); // by rows, a call a slice

  /** A slice's product, ready to run. */
  private record Call(MemorySegment product, MemorySegment arguments, MemorySegment sums) {}

  private DnnlMatrix(DnnlProducts products, int inputs, int outputs) {
    this.products = products;
    this.inputs = inputs;
    this.outputs = outputs;
    this.bias = new float[outputs];
    int slices = Lanes.roundUp(outputs, SLICE) / SLICE;
    this.layouts = new MemorySegment[slices];
    this.weights = new MemorySegment[slices];
  }

  static DnnlMatrix stacked(List<Affine> matrices, DnnlProducts products, WorkerTeam team) {
    int outputs = matrices.stream().mapToInt(m -> dimension(m, 0)).sum();
    DnnlMatrix packed = new DnnlMatrix(products, dimension(matrices.get(0), 1), outputs);
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

  static DnnlMatrix sideBySide(List<Affine> matrices, DnnlProducts products, WorkerTeam team) {
    int inputs = matrices.stream().mapToInt(m -> dimension(m, 1)).sum();
    DnnlMatrix packed = new DnnlMatrix(products, inputs, dimension(matrices.get(0), 0));
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

  private static int dimension(Affine matrix, int index) {
    return Math.toIntExact(matrix.weight().shape().get(index));
  }

  private void addBias(Affine matrix, int first) {
    float[] added = matrix.bias().toFloats();
    for (int i = 0; i < added.length; i++) {
      bias[first + i] += added[i];
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

  private void pack(WorkerTeam team, Rows rows) {
    for (int slice = 0; slice < layouts.length; slice++) {
      layouts[slice] = products.weightsLayout(inputs, width(slice));
    }
    team.run(
        layouts.length,
        1,
        (from, to, worker) -> {
          for (int slice = from; slice < to; slice++) {
            pack(slice, rows);
          }
        });
  }

  private void pack(int slice, Rows rows) {
    Dnnl dnnl = products.dnnl();
    int width = width(slice);
    MemorySegment packed = products.allocate(dnnl.bytesOf(layouts[slice]));
    weights[slice] = products.memory(layouts[slice], packed);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment plain = arena.allocate((long) width * inputs * Short.BYTES, 64);
      float[] row = new float[inputs];
      for (int i = 0; i < width; i++) {
        rows.read(slice * SLICE + i, row);
        toBf16(row, 0, plain, (long) i * inputs * Short.BYTES);
      }
      MemorySegment layout = dnnl.describe(inputs, width, Dnnl.BF16, 1, inputs);
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

  int inputs() {
    return inputs;
  }

  @Override
  public int stride() {
    return Lanes.roundUp(outputs, WIDTH);
  }

  @Override
  public void multiply(Operands o, boolean add, WorkerTeam team) {
    MemorySegment rounded = products.inputs();
    team.run(
        o.rows(),
        1,
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            toBf16(o.x(), row * o.xStride(), rounded, (long) row * inputs * Short.BYTES);
          }
        });
    Call[] ready = calls.computeIfAbsent(DnnlProducts.padded(o.rows()), this::prepare);
    team.run(
        ready.length,
        1,
        (from, to, worker) -> {
          for (int slice = from; slice < to; slice++) {
            Call call = ready[slice];
            products.dnnl().execute(call.product(), products.stream(), call.arguments());
            for (int row = 0; row < o.rows(); row++) {
              finish(slice, row, call.sums(), o, add);
            }
          }
        });
  }

  private Call[] prepare(int rows) {
    Call[] ready = new Call[layouts.length];
    for (int slice = 0; slice < ready.length; slice++) {
      int width = width(slice);
      DnnlProducts.Product product = products.product(rows, layouts[slice], inputs, width);
      long scratchpad = products.dnnl().bytesOf(product.scratchpad());
      MemorySegment sums = products.sums(slice);
      MemorySegment arguments =
          Dnnl.arguments(
              Arena.ofAuto(),
              Dnnl.SRC,
              products.memory(products.layout(rows, inputs, Dnnl.BF16), products.inputs()),
              Dnnl.WEIGHTS,
              weights[slice],
              Dnnl.DST,
              products.memory(products.layout(rows, width, Dnnl.F32), sums),
              Dnnl.SCRATCHPAD,
              products.memory(product.scratchpad(), products.scratchpad(slice, scratchpad)));
      ready[slice] = new Call(product.primitive(), arguments, sums);
    }
    return ready;
  }

  private void finish(int slice, int row, MemorySegment sums, Operands o, boolean add) {
    int width = width(slice);
    int to = row * o.yStride() + slice * SLICE;
    float[] y = o.y();
    for (int i = 0; i < width; i++) {
      float sum =
          sums.getAtIndex(ValueLayout.JAVA_FLOAT, (long) row * width + i) + bias[slice * SLICE + i];
      y[to + i] = add ? y[to + i] + sum : sum;
    }
  }

  /** Rounds a row to the nearest bf16, ties to even. */
  private void toBf16(float[] from, int at, MemorySegment to, long toAt) {
    int i = 0;
    for (; i + COUNT <= inputs; i += COUNT) {
      IntVector bits = FloatVector.fromArray(SPECIES, from, at + i).reinterpretAsInts();
      IntVector odd = bits.lanewise(VectorOperators.LSHR, 16).and(1);
      IntVector high = bits.add(odd).add(0x7FFF).lanewise(VectorOperators.LSHR, 16);
      ((ShortVector) high.convertShape(VectorOperators.I2S, HalvesKernel.SHORTS, 0))
          .intoMemorySegment(to, toAt + i * 2L, Lanes.ORDER);
    }
    for (; i < inputs; i++) {
      to.set(ValueLayout.JAVA_SHORT, toAt + i * 2L, Quantizer.bf16(from[at + i]));
    }
  }
}

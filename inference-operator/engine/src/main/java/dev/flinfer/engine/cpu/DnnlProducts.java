package dev.flinfer.engine.cpu;

import dev.flinfer.engine.model.PhiWeights.Affine;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Products by oneDNN: weights and activations rounded to bf16, sums in fp32. Where the processor
 * multiplies bf16 that is twice what fp32 arithmetic can do.
 *
 * <p>Bits: a matrix is cut into slices of outputs that do not depend on the number of threads, each
 * computed by one thread. Rows are padded to one of a few counts, never to one: oneDNN computes a
 * single row in another order than several, and all other counts in the same.
 */
final class DnnlProducts implements MatrixProducts {
  /** Outputs of a slice: four of Phi-2's 2,560, so that two threads have equal work. */
  static final int SLICE = 640;

  /** The kernels for which it was measured that the number of rows changes no bits. */
  private static final String KERNELS = "avx512_core_bf16";

  /** Counts above this are its multiples, those below are powers of two. */
  private static final int STEP = 16;

  private final Dnnl dnnl;
  private final Arena arena;
  private final WorkerTeam team;
  private final int maxRows;
  private final ThreadLocal<MemorySegment> streams = ThreadLocal.withInitial(this::openStream);
  private final Map<List<Integer>, Product> products = new HashMap<>();
  private final Deque<Made> made = new ArrayDeque<>();
  private final Map<Integer, MemorySegment> scratchpads = new HashMap<>(); // by slice
  private int widestInput;
  private int widestOutput;
  private MemorySegment inputs; // (maxRows, inputs) bf16
  private MemorySegment sums; // (slices, rows, outputs of a slice) f32

  /**
   * What multiplies so many rows.
   *
   * @param scratchpad layout of the memory that a call needs while it runs
   */
  record Product(MemorySegment primitive, MemorySegment scratchpad) {}

  /** An object of oneDNN's, to destroy. */
  private record Made(String kind, MemorySegment object) {}

  /**
   * @param arena what the weights lie in
   * @param maxRows most rows of a product
   * @throws IllegalStateException if oneDNN cannot be loaded or has no such kernels for this
   *     processor; the message says so
   */
  DnnlProducts(Arena arena, WorkerTeam team, int maxRows) {
    this.dnnl = Dnnl.load();
    this.arena = arena;
    this.team = team;
    this.maxRows = padded(maxRows);
    weightsLayout(SLICE, SLICE); // so that a processor that cannot is refused at once
  }

  @Override
  public String name() {
    return "oneDNN in bf16";
  }

  @Override
  public Matrix stacked(List<Affine> matrices) {
    return remember(DnnlMatrix.stacked(matrices, this, team));
  }

  @Override
  public Matrix sideBySide(List<Affine> matrices) {
    return remember(DnnlMatrix.sideBySide(matrices, this, team));
  }

  private Matrix remember(DnnlMatrix matrix) {
    widestInput = Math.max(widestInput, matrix.inputs());
    widestOutput = Math.max(widestOutput, matrix.stride());
    return matrix;
  }

  /** The count that so many rows are computed as. */
  static int padded(int rows) {
    return rows > STEP
        ? Lanes.roundUp(rows, STEP)
        : Math.max(2, Integer.highestOneBit(Math.max(1, 2 * rows - 1)));
  }

  Dnnl dnnl() {
    return dnnl;
  }

  /** The calling thread's. */
  MemorySegment stream() {
    return streams.get();
  }

  private MemorySegment openStream() {
    dnnl.computeAlone();
    return keep("stream", dnnl.stream());
  }

  /** Memory for a matrix's weights. */
  MemorySegment allocate(long bytes) {
    return NativeMemory.allocate(arena, bytes, "weights");
  }

  /** Where the rows of all products are rounded to, one product at a time. */
  MemorySegment inputs() {
    if (inputs == null) {
      inputs =
          NativeMemory.allocate(arena, (long) maxRows * widestInput * Short.BYTES, "activations");
    }
    return inputs;
  }

  /** Where the sums of a slice go. */
  MemorySegment sums(int slice) {
    if (sums == null) {
      long slices = Lanes.roundUp(widestOutput, SLICE) / SLICE;
      sums =
          NativeMemory.allocate(
              arena, slices * maxRows * SLICE * Float.BYTES, "sums of matrix products");
    }
    long bytes = (long) maxRows * SLICE * Float.BYTES;
    return sums.asSlice(slice * bytes, bytes);
  }

  /** What the product of a slice needs while it runs. */
  MemorySegment scratchpad(int slice, long bytes) {
    MemorySegment there = scratchpads.get(slice);
    if (there == null || there.byteSize() < bytes) {
      there = NativeMemory.allocate(arena, bytes, "scratchpads of matrix products");
      scratchpads.put(slice, there);
    }
    return there;
  }

  /** The layout that weights (inputs, outputs) have for every number of rows. */
  MemorySegment weightsLayout(int inputs, int outputs) {
    MemorySegment product =
        describe(
            padded(2),
            keep("memory_desc", dnnl.describeAny(inputs, outputs, Dnnl.BF16)),
            inputs,
            outputs);
    String kernels = dnnl.implementation(product);
    if (!kernels.contains(KERNELS)) {
      throw new IllegalStateException(
          "oneDNN multiplies with %s on this processor; only %s is known to give a row the same bits in every batch. Set cpu_products to java"
              .formatted(kernels, KERNELS));
    }
    return dnnl.weightsOf(product);
  }

  private MemorySegment describe(int rows, MemorySegment weights, int inputs, int outputs) {
    MemorySegment src = layout(rows, inputs, Dnnl.BF16);
    MemorySegment dst = layout(rows, outputs, Dnnl.F32);
    return keep("primitive_desc", dnnl.describeProduct(src, weights, dst));
  }

  /** What multiplies so many rows; matrices of equal shape share it. */
  Product product(int rows, MemorySegment weights, int inputs, int outputs) {
    return products.computeIfAbsent(
        List.of(rows, inputs, outputs),
        shape -> {
          MemorySegment product = describe(rows, weights, inputs, outputs);
          return new Product(
              keep("primitive", dnnl.primitive(product)), dnnl.scratchpadOf(product));
        });
  }

  /** A memory object until the end. */
  MemorySegment memory(MemorySegment layout, MemorySegment data) {
    return keep("memory", dnnl.memory(layout, data));
  }

  /** A row-major matrix's layout until the end. */
  MemorySegment layout(int rows, int columns, int type) {
    return keep("memory_desc", dnnl.describe(rows, columns, type, columns, 1));
  }

  /** Remembers an object until the end. */
  MemorySegment keep(String kind, MemorySegment object) {
    synchronized (made) {
      made.push(new Made(kind, object));
    }
    return object;
  }

  @Override
  public void close() {
    synchronized (made) {
      while (!made.isEmpty()) {
        Made last = made.pop();
        dnnl.destroy(last.kind(), last.object());
      }
    }
  }
}

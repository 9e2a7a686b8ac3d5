package dev.flinfer.engine.cpu;

import dev.flinfer.engine.model.PhiWeights.Affine;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Products by oneDNN, with weights and activations in bf16 or in 8-bit integers. On a CPU with
 * instructions for these, that is at least twice as fast as fp32 arithmetic can be.
 *
 * <p>Bits: a matrix is cut into slices of outputs that do not depend on the number of threads, each
 * computed by one thread. Rows are padded to one of a few counts, never to one: oneDNN computes a
 * single row in another order than several, and all other counts in the same. Inputs are padded
 * with zeros to whole cache lines: AMX kernels multiply the end of a row of odd length with the
 * memory after it.
 */
final class DnnlProducts implements MatrixProducts {
  /**
   * Outputs of a slice: ten of Phi-2's 2,560, for as many threads. docs/performance.md has figures
   * for other sizes.
   */
  static final int SLICE = 256;

  /** Row counts above this are rounded up to its multiples, those below to powers of two. */
  private static final int STEP = 16;

  private static final int CACHE_LINE = 64;

  private final Dnnl dnnl;
  private final Arena arena;
  private final WorkerTeam team;
  private final DnnlFormat format;
  private final DnnlFormat lmHeadFormat = new DnnlBf16();
  private final int fewestRows;
  private final int maxRows;
  private final float[] rowScales; // (maxRows) of the inputs
  private final ThreadLocal<MemorySegment> streams = ThreadLocal.withInitial(this::openStream);
  private final Map<List<Object>, Product> products = new HashMap<>();
  private final Deque<Made> made = new ArrayDeque<>();
  private final Map<Integer, MemorySegment> scratchpads = new HashMap<>(); // by slice
  private final Map<List<Object>, MemorySegment> memories = new HashMap<>(); // objects
  private long widestInput; // in bytes
  private int widestOutput;
  private MemorySegment inputs; // (maxRows, inputs) of the format
  private MemorySegment sums; // (slices, rows, outputs of a slice) of 4 bytes

  /**
   * A product for a given number of rows.
   *
   * @param scratchpad layout of the memory that a call needs while it runs
   */
  record Product(MemorySegment primitive, MemorySegment scratchpad) {}

  /** An object of oneDNN that must be destroyed. */
  private record Made(String kind, MemorySegment object) {}

  /**
   * @param format of all matrices but the one for the logits, which stays in bf16
   * @param arena where the weights are allocated
   * @param maxRows maximum number of rows of a product
   * @throws IllegalStateException if oneDNN cannot be loaded or has no such kernels for this CPU
   */
  DnnlProducts(DnnlFormat format, Arena arena, WorkerTeam team, int maxRows) {
    this.dnnl = Dnnl.load();
    this.format = format;
    this.arena = arena;
    this.team = team;
    this.rowScales = new float[maxRows];
    // So that a CPU without these kernels is refused at once.
    MemorySegment any = keep("memory_desc", dnnl.describeAny(SLICE, SLICE, format.type()));
    String kernels = dnnl.implementation(describe(format, 2, any, SLICE, SLICE));
    // An AMX tile has 16 rows; with 2 or 4 a product took one and a half times as long.
    this.fewestRows = kernels.endsWith("amx") ? STEP : 2;
    this.maxRows = padded(maxRows);
  }

  @Override
  public String name() {
    return "oneDNN in " + format.name();
  }

  @Override
  public Matrix stacked(List<Affine> matrices) {
    return remember(DnnlMatrix.stacked(matrices, this, format, team));
  }

  /** As is usual with W8A8: rounding harms logits most, and the other products take most time. */
  @Override
  public Matrix lmHead(Affine matrix) {
    return remember(DnnlMatrix.stacked(List.of(matrix), this, lmHeadFormat, team));
  }

  @Override
  public Matrix sideBySide(List<Affine> matrices) {
    if (!format.scalesInputs()) {
      return remember(DnnlMatrix.sideBySide(matrices, 0, this, format, team));
    }
    List<DnnlMatrix> parts = new ArrayList<>();
    int inputsAt = 0;
    for (Affine matrix : matrices) {
      parts.add(remember(DnnlMatrix.sideBySide(List.of(matrix), inputsAt, this, format, team)));
      inputsAt += DnnlMatrix.dimension(matrix, 1);
    }
    return new Sum(parts);
  }

  /** Computes the parts of a row in separate products. */
  private record Sum(List<DnnlMatrix> parts) implements Matrix {
    @Override
    public int stride() {
      return parts.get(0).stride();
    }

    @Override
    public void multiply(Operands o, Outputs outputs, WorkerTeam team) {
      for (int i = 0; i < parts.size(); i++) {
        parts.get(i).multiply(o, i == 0 ? outputs : Outputs.ADDED_TO, team);
      }
    }
  }

  private DnnlMatrix remember(DnnlMatrix matrix) {
    widestInput = Math.max(widestInput, matrix.inputBytes());
    widestOutput = Math.max(widestOutput, matrix.stride());
    return matrix;
  }

  /** The number of rows that a number of rows is padded to. */
  int padded(int rows) {
    return rows > STEP
        ? Lanes.roundUp(rows, STEP)
        : Math.max(fewestRows, Integer.highestOneBit(Math.max(1, 2 * rows - 1)));
  }

  /** Length of a row of inputs in whole cache lines. */
  static int depth(int inputs, DnnlFormat format) {
    return Lanes.roundUp(inputs, CACHE_LINE / format.bytes());
  }

  Dnnl dnnl() {
    return dnnl;
  }

  /** The stream of the calling thread. */
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

  /** The memory in which the rows of all products are encoded, one product at a time. */
  MemorySegment inputs() {
    if (inputs == null) {
      inputs = NativeMemory.allocate(arena, maxRows * widestInput, "activations");
    }
    return inputs;
  }

  /** The scales of those rows. */
  float[] rowScales() {
    return rowScales;
  }

  /** The position of a slice's sums. */
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

  /** The memory object of a number of encoded rows. Matrices share this and the next two. */
  MemorySegment inputsOf(DnnlFormat of, int rows, int depth) {
    return memories.computeIfAbsent(
        List.of("inputs", of.name(), rows, depth),
        key -> memory(layout(rows, depth, of.type()), inputs()));
  }

  /** The memory object of a slice's sums. */
  MemorySegment sumsOf(DnnlFormat of, int rows, int width, int slice) {
    return memories.computeIfAbsent(
        List.of("sums", of.name(), rows, width, slice),
        key -> memory(layout(rows, width, of.sumType()), sums(slice)));
  }

  /** The memory object of the scratchpad that the product of a slice needs while it runs. */
  MemorySegment scratchpadOf(Product product, int slice) {
    return memories.computeIfAbsent(
        List.of("scratchpad", product, slice),
        key -> memory(product.scratchpad(), scratchpad(slice, dnnl.bytesOf(product.scratchpad()))));
  }

  private MemorySegment scratchpad(int slice, long bytes) {
    MemorySegment there = scratchpads.get(slice);
    if (there == null || there.byteSize() < bytes) {
      there = NativeMemory.allocate(arena, bytes, "scratchpads of matrix products");
      scratchpads.put(slice, there);
    }
    return there;
  }

  /** The layout that weights (inputs, outputs) have for every number of rows. */
  MemorySegment weightsLayout(DnnlFormat of, int inputs, int outputs) {
    MemorySegment any = keep("memory_desc", dnnl.describeAny(inputs, outputs, of.type()));
    return dnnl.weightsOf(describe(of, padded(2), any, inputs, outputs));
  }

  private MemorySegment describe(
      DnnlFormat of, int rows, MemorySegment weights, int inputs, int outputs) {
    MemorySegment src = layout(rows, inputs, of.type());
    MemorySegment dst = layout(rows, outputs, of.sumType());
    MemorySegment product = keep("primitive_desc", dnnl.describeProduct(src, weights, dst));
    String kernels = dnnl.implementation(product);
    if (of.kernels().stream().noneMatch(known -> kernels.endsWith(":" + known))) {
      throw new IllegalStateException(
          "oneDNN multiplies %s with %s on this processor; only %s are known to give a row the same bits in every batch. Set cpu_products to java"
              .formatted(of.name(), kernels, String.join(" and ", of.kernels())));
    }
    return product;
  }

  /** The product for a number of rows; matrices of equal shape share it. */
  Product product(DnnlFormat of, int rows, MemorySegment weights, int inputs, int outputs) {
    return products.computeIfAbsent(
        List.of(of.name(), rows, inputs, outputs),
        shape -> {
          MemorySegment product = describe(of, rows, weights, inputs, outputs);
          return new Product(
              keep("primitive", dnnl.primitive(product)), dnnl.scratchpadOf(product));
        });
  }

  /** Creates a memory object that is destroyed on close. */
  MemorySegment memory(MemorySegment layout, MemorySegment data) {
    return keep("memory", dnnl.memory(layout, data));
  }

  /** Describes a row-major matrix; the description is destroyed on close. */
  MemorySegment layout(int rows, int columns, int type) {
    return keep("memory_desc", dnnl.describe(rows, columns, type, columns, 1));
  }

  /** Registers an object to be destroyed on close. */
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

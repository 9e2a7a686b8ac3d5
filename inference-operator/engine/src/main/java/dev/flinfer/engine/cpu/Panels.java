package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.MatMulKernel.WIDTH;
import static dev.flinfer.engine.cpu.Tile.DEPTH;

import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * Weights of one type outside the Java heap, laid out for {@link MatMulKernel}: panels of WIDTH
 * outputs, in each the inputs one after the other.
 *
 * <p>Floats of 16 and 32 bits are kept as they are. Codes are kept in nibbles (those of 4 bits) or
 * bytes (all others, so those of 5 and 6 bits take 8), their scales in 16 bits where the type's
 * definition has them so, and in floats for the products of the k-quants.
 */
final class Panels {
  /** Outputs of a pair of panels. */
  static final int PAIR = 2 * WIDTH;

  /** From so many rows on it pays to widen weights once for all: 4 rows share each load. */
  private static final int TILE_ROWS = 4;

  /** Up to so many rows eight of them are faster without a tile. */
  private static final int MOST_WITHOUT_TILE = 11;

  /** With four lanes the last codes are read with four bytes behind them. */
  private static final int BEHIND = 4;

  private final DType dtype;
  private final int outputs;
  private final int inputs;
  private final MemorySegment weights; // (panels, inputs, WIDTH), or codes
  private final Scales scales; // (panels, groups, WIDTH), for codes
  private final Scales minimums; // as scales, where the type has them
  private final float[] factors; // (panels, tiles) of halves

  private Panels(DType dtype, int outputs, int inputs, Arena arena) {
    this.dtype = dtype;
    this.outputs = outputs;
    this.inputs = inputs;
    int panels = 2 * pairs();
    long bytes = dtype.isQuantized() ? codeBytes(inputs) : (long) inputs * width() * WIDTH;
    this.weights = NativeMemory.allocate(arena, panels * bytes + BEHIND, "weights");
    long count = dtype.isQuantized() ? (long) panels * groups(inputs) * WIDTH : 0;
    this.scales = Scales.allocate(arena, count, scaleWidth());
    this.minimums = Scales.allocate(arena, dtype.hasMinimum() ? count : 0, scaleWidth());
    this.factors = new float[dtype == DType.F16 ? panels * tiles() : 0];
  }

  /**
   * Packs matrices of equal width, their outputs one after the other.
   *
   * @param parts (outputs, inputs) each
   * @param dtype the type to run in
   */
  static Panels pack(List<Tensor> parts, DType dtype, Arena arena, WorkerTeam team) {
    int outputs = 0;
    for (Tensor part : parts) {
      outputs += Math.toIntExact(part.shape().get(0));
    }
    int inputs = Math.toIntExact(parts.get(0).shape().get(1));
    Panels panels = new Panels(dtype, outputs, inputs, arena);
    team.run(
        2 * panels.pairs(),
        1,
        (from, to, worker) -> {
          Tile tile = Tile.LOCAL.get();
          PanelPacker packer = new PanelPacker(dtype, tile);
          for (int panel = from; panel < to; panel++) {
            panels.packPanel(parts, panel, packer, tile);
          }
        });
    return panels;
  }

  int pairs() {
    return Lanes.roundUp(outputs, PAIR) / PAIR;
  }

  int inputs() {
    return inputs;
  }

  /**
   * Adds the products of a pair of panels to {@code y}: {@code y += x W^T}, in one of two ways,
   * with the same order of additions. Up to three rows, and eight to eleven, read the weights as
   * they are, both panels at a time, eight rows together and the others each: that a processor
   * fetches two streams ahead is worth a quarter. For four to seven rows and from twelve on weights
   * are widened once, into a tile that stays in the cache; floats need no tile.
   *
   * @param xAt of the first row's first input
   * @param yAt of the first row's first output of the pair
   */
  void multiply(int pair, Operands o, int xAt, int yAt, Tile tile) {
    for (int k = 0; k < inputs; k += DEPTH) {
      multiply(pair, k, Math.min(DEPTH, inputs - k), o, xAt + k, yAt, tile);
    }
  }

  private void multiply(int pair, int k, int depth, Operands o, int xAt, int yAt, Tile tile) {
    if (o.rows() < TILE_ROWS) {
      prepare(pair, k, depth, tile);
      rows(pair, k, depth, o, 0, xAt, yAt, tile);
    } else if (o.rows() >= EightRows.ROWS && o.rows() <= MOST_WITHOUT_TILE && dtype != DType.F32) {
      prepare(pair, k, depth, tile);
      long at = at(2 * pair, k);
      EightRows.multiply(dtype, weights, at, at(2 * pair + 1, k), tile, depth, o, xAt, yAt);
      rows(pair, k, depth, o, EightRows.ROWS, xAt, yAt, tile);
    } else {
      multiplyPanel(2 * pair, k, depth, o, xAt, yAt, tile);
      multiplyPanel(2 * pair + 1, k, depth, o, xAt, yAt + WIDTH, tile);
    }
  }

  private void multiplyPanel(int panel, int k, int depth, Operands o, int xAt, int yAt, Tile tile) {
    if (dtype == DType.F32) {
      o.multiply(weights, at(panel, k), depth, xAt, yAt);
      return;
    }
    unpack(panel, k, depth, tile);
    o.multiply(tile.wide, 0, depth, xAt, yAt);
  }

  /** From row {@code first} on, one by one. */
  private void rows(
      int pair, int k, int depth, Operands o, int first, int xAt, int yAt, Tile tile) {
    for (int row = first; row < o.rows(); row++) {
      row(
          at(2 * pair, k),
          at(2 * pair + 1, k),
          depth,
          o,
          xAt + row * o.xStride(),
          yAt + row * o.yStride(),
          tile);
    }
  }

  private void row(long at, long other, int depth, Operands o, int xAt, int yAt, Tile tile) {
    switch (dtype) {
      case F32 -> {
        MatMulKernel.row(o.x(), xAt, weights, at, depth, o.y(), yAt);
        MatMulKernel.row(o.x(), xAt, weights, other, depth, o.y(), yAt + WIDTH);
      }
      case F16 -> HalvesKernel.rowF16(weights, at, other, tile, depth, o.x(), xAt, o.y(), yAt);
      case BF16 -> HalvesKernel.rowBf16(weights, at, other, depth, o.x(), xAt, o.y(), yAt);
      default -> {
        if (dtype.bits() == 4) {
          NibblesKernel.row(tile, depth, o.x(), xAt, o.y(), yAt);
        } else {
          BytesKernel.row(tile, depth, o.x(), xAt, o.y(), yAt);
        }
      }
    }
  }

  private void unpack(int panel, int k, int depth, Tile tile) {
    switch (dtype) {
      case F16 -> {
        tile.factor = factors[panel * tiles() + k / DEPTH];
        HalvesKernel.unpackF16(weights, at(panel, k), depth, tile);
      }
      case BF16 -> HalvesKernel.unpackBf16(weights, at(panel, k), depth, tile.wide);
      default -> {
        codes(panel, k, depth, tile);
        if (dtype.bits() == 4) {
          NibblesKernel.unpack(tile, depth);
        } else {
          BytesKernel.unpack(tile, depth);
        }
      }
    }
  }

  /** Of weights that are no codes. */
  private long at(int panel, int k) {
    return ((long) panel * inputs + k) * WIDTH * width();
  }

  private int tiles() {
    return Lanes.roundUp(inputs, DEPTH) / DEPTH;
  }

  /** Prepares the tile for {@link #rows} and {@link EightRows}. */
  private void prepare(int pair, int k, int depth, Tile tile) {
    if (dtype == DType.F16) {
      tile.factor = factors[2 * pair * tiles() + k / DEPTH];
      tile.other.factor = factors[(2 * pair + 1) * tiles() + k / DEPTH];
    } else if (dtype.isQuantized()) {
      codes(2 * pair, k, depth, tile);
      codes(2 * pair + 1, k, depth, tile.other);
    }
  }

  /**
   * Points the tile to the codes of inputs {@code k} to {@code k + depth} and widens their scales.
   */
  private void codes(int panel, int k, int depth, Tile tile) {
    int groups = groups(depth) * WIDTH;
    long scalesAt = scalesAt(panel, k);
    tile.codes = weights;
    tile.codesAt = codesAt(panel, k);
    tile.group = dtype.groupSize();
    scales.read(scalesAt, tile.scales, groups);
    tile.minimums = tile.ownMinimums;
    if (dtype.hasMinimum()) {
      minimums.read(scalesAt, tile.minimums, groups);
    } else if (dtype.bits() == 4) {
      for (int i = 0; i < groups; i++) {
        tile.minimums[i] = -PanelPacker.NIBBLE_ZERO * tile.scales[i];
      }
    } else {
      tile.minimums = Tile.NO_MINIMUMS;
    }
  }

  private void packPanel(List<Tensor> parts, int panel, PanelPacker packer, Tile tile) {
    int[] rowsOf = parts.stream().mapToInt(part -> Math.toIntExact(part.shape().get(0))).toArray();
    for (int k = 0; k < inputs; k += DEPTH) {
      int depth = Math.min(DEPTH, inputs - k);
      packer.clear();
      int first = 0; // output of the part's first row
      for (int i = 0; i < parts.size(); i++) {
        Tensor part = parts.get(i);
        int rows = rowsOf[i];
        int from = Math.max(panel * WIDTH, first);
        int to = Math.min((panel + 1) * WIDTH, first + rows);
        for (int output = from; output < to; output++) {
          packer.put(part, (output - first) * (long) inputs + k, depth, output - panel * WIDTH);
        }
        first += rows;
      }
      store(panel, k, depth, tile);
    }
  }

  private void store(int panel, int k, int depth, Tile tile) {
    if (dtype.isQuantized()) {
      int groups = groups(depth) * WIDTH;
      scales.store(tile.scales, groups, scalesAt(panel, k));
      if (dtype.hasMinimum()) {
        minimums.store(tile.ownMinimums, groups, scalesAt(panel, k));
      }
      long at = codesAt(panel, k);
      MemorySegment.copy(
          tile.packed, 0, weights, ValueLayout.JAVA_BYTE, at, (int) codeBytes(depth));
      return;
    }
    long to = ((long) panel * inputs + k) * WIDTH;
    if (dtype == DType.F32) {
      MemorySegment.copy(tile.weights, 0, weights, ValueLayout.JAVA_FLOAT, to * 4, depth * WIDTH);
    } else {
      if (dtype == DType.F16) {
        factors[panel * tiles() + k / DEPTH] = HalvesKernel.normalize(tile.bits, depth * WIDTH);
      }
      MemorySegment.copy(tile.bits, 0, weights, ValueLayout.JAVA_SHORT, to * 2, depth * WIDTH);
    }
  }

  /** Bytes of a weight that is not a code. */
  private int width() {
    return dtype.blockBytes();
  }

  /** The scales of the k-quants are products that 16 bits do not hold. */
  private int scaleWidth() {
    return dtype.blockSize() > dtype.groupSize() ? 4 : 2;
  }

  private int groups(int depth) {
    return (depth + dtype.groupSize() - 1) / dtype.groupSize();
  }

  /** Bytes of the codes of so many inputs. */
  private long codeBytes(int depth) {
    return (dtype.bits() == 4 ? (depth + 1) / 2 : depth) * (long) WIDTH;
  }

  private long codesAt(int panel, int k) {
    return panel * codeBytes(inputs) + codeBytes(k);
  }

  private long scalesAt(int panel, int k) {
    return ((long) panel * groups(inputs) + k / dtype.groupSize()) * WIDTH;
  }
}

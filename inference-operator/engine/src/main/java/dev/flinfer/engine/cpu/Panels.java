package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.Tile.DEPTH;

import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.Tensor;
import java.lang.foreign.Arena;
import java.util.List;

/**
 * Weights of one type outside the Java heap, in panels of WIDTH outputs, in each the inputs one
 * after the other.
 */
final class Panels {
  /** Outputs of a panel. */
  static final int WIDTH = 2 * COUNT;

  /** Outputs of a pair of panels. */
  static final int PAIR = 2 * WIDTH;

  /** Rows that one call of {@link Encoding#eightRows} takes. */
  static final int EIGHT = 8;

  /** Up to so many rows eight of them are faster without a tile. */
  private static final int MOST_WITHOUT_TILE = 11;

  /** From so many rows on it pays to widen weights once for all: 4 rows share each load. */
  private static final int TILE_ROWS = 4;

  private final int pairs;
  private final Encoding encoding;

  private Panels(int pairs, Encoding encoding) {
    this.pairs = pairs;
    this.encoding = encoding;
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
    int pairs = Lanes.roundUp(outputs, PAIR) / PAIR;
    Encoding encoding = Encoding.of(dtype, 2 * pairs, inputs, arena);
    ThreadLocal<PanelPacker> packers =
        ThreadLocal.withInitial(() -> new PanelPacker(parts, encoding));
    team.forEach(2 * pairs, 1, panel -> packers.get().pack(panel));
    return new Panels(pairs, encoding);
  }

  int pairs() {
    return pairs;
  }

  int inputs() {
    return encoding.inputs();
  }

  /**
   * Adds the products of a pair of panels to {@code y}: {@code y += x W^T}, in one of two ways,
   * with the same order of additions. Up to three rows, and eight to eleven, read the weights as
   * they are, both panels at a time, eight rows together and the others each: that a processor
   * fetches two streams ahead is worth a quarter. For four to seven rows and from twelve on weights
   * are widened once, into a tile that stays in the cache.
   *
   * @param x0 of the first row's first input
   * @param y0 of the first row's first output of the pair
   */
  void multiply(int pair, Operands o, int x0, int y0, Tile tile) {
    boolean eight = o.rows() >= EIGHT && o.rows() <= MOST_WITHOUT_TILE;
    for (int k = 0; k < inputs(); k += DEPTH) {
      if (eight || o.rows() < TILE_ROWS) {
        encoding.locate(2 * pair, k, tile);
        encoding.locate(2 * pair + 1, k, tile.other);
        multiplyStored(tile, o, x0 + k, y0);
      } else {
        for (int panel = 0; panel < 2; panel++) {
          encoding.locate(2 * pair + panel, k, tile);
          encoding.unpack(tile);
          multiplyWide(tile, o, x0 + k, y0 + panel * WIDTH);
        }
      }
    }
  }

  private void multiplyStored(Tile tile, Operands o, int x0, int y0) {
    int row = 0;
    for (; row + EIGHT <= o.rows(); row += EIGHT) {
      encoding.eightRows(tile, o, x0 + row * o.xStride(), y0 + row * o.yStride());
    }
    for (; row < o.rows(); row++) {
      encoding.row(tile, o, x0 + row * o.xStride(), y0 + row * o.yStride());
    }
  }

  private static void multiplyWide(Tile tile, Operands o, int x0, int y0) {
    long at = tile.wideAt;
    int row = 0;
    for (; row + 8 <= o.rows(); row += 8) {
      FloatKernel.eightWideRows(tile, at, o, x0 + row * o.xStride(), y0 + row * o.yStride());
    }
    for (; row + 4 <= o.rows(); row += 4) {
      FloatKernel.fourWideRows(tile, at, o, x0 + row * o.xStride(), y0 + row * o.yStride());
    }
    for (; row < o.rows(); row++) {
      FloatKernel.wideRow(tile, at, o, x0 + row * o.xStride(), y0 + row * o.yStride());
    }
  }
}

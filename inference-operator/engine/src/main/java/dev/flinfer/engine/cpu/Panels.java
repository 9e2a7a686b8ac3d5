package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.Tile.DEPTH;

import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.Tensor;
import java.lang.foreign.Arena;
import java.util.List;

/**
 * Weights of one type outside the Java heap, and their products.
 *
 * <p><b>Layout.</b> The outputs are cut into panels of WIDTH, which is two vectors: 32 outputs with
 * AVX-512. A panel holds input after input, so the lanes of a vector are outputs and a kernel reads
 * memory in one ascending stream. This is the packing of [1], of the weights only: activations are
 * few, and a row of them stays in the cache. An {@link Encoding} decides how a weight is stored.
 *
 * <p><b>Order of additions.</b> Each output is one chain of fused multiply-adds over the inputs in
 * their order, which are never split. So its bits depend neither on the number of rows nor on the
 * number of threads nor on the length of a vector, which is what [2] calls batch invariance;
 * docs/decisions/0003-one-order-of-additions.md describes the alternatives.
 *
 * <p><b>Register tiles.</b> A chain waits for its last addition, so a core needs many of them.
 * Eight rows times two vectors are 16, which fit the registers, and two loads of weights serve all:
 * 150 GFLOP/s in the cache where four rows times four vectors have 104 (a Xeon, one thread).
 *
 * <p><b>Few rows.</b> One row uses each weight once, so it is widened as it is multiplied, and both
 * panels of a pair are read at a time: a processor fetches ahead in two streams more than in one,
 * 9.8 billion weights a second against 7.4 with Q8_0, 11.8 against 9.8 with Q4_0, 7.3 against 5.2
 * with bf16. Eight rows do the same with one vector of each panel, 1.26 to 1.33 times as fast as
 * through a tile. From 12 rows on a {@link Tile} is as fast, into which weights are widened once
 * for all rows and where they stay in the L2 cache. Four to seven rows go through it too, four at a
 * time.
 *
 * <p><b>The compiler.</b> C2 turns the Vector API [3] into such loops under conditions, which is
 * why kernels look as they do and are generated (docs/decisions/0014-generated-kernels.md):
 *
 * <ul>
 *   <li>Accumulators are local variables with names. An array of vectors is not kept in registers.
 *   <li>It always inlines methods of the vector classes, but not ours in a loop that has become
 *       large. What these return is then an object, at a sixth of the speed.
 *   <li>It prepares a loop over a segment for the segment's bounds, which takes as long as many of
 *       the 32 turns of a group, but only where it sees the loop's own index. With {@code k & 63}
 *       it compares in each turn, which costs next to nothing.
 *   <li>A constant vector such as a mask is a local variable: created again in each iteration it
 *       takes three times as long.
 *   <li>A method of more than 8,000 bytes of bytecode is not compiled.
 * </ul>
 *
 * The figures are from docs/performance.md, which also describes what was tried and rejected.
 *
 * <p>[1] Goto and van de Geijn, Anatomy of High-Performance Matrix Multiplication, ACM Transactions
 * on Mathematical Software 34(3), 2008, <a
 * href="https://doi.org/10.1145/1356052.1356053">doi:10.1145/1356052.1356053</a>
 *
 * <p>[2] He and Thinking Machines Lab, Defeating Nondeterminism in LLM Inference, 2025, <a
 * href="https://thinkingmachines.ai/blog/defeating-nondeterminism-in-llm-inference/">thinkingmachines.ai</a>
 *
 * <p>[3] JEP 508, Vector API (Tenth Incubator), <a
 * href="https://openjdk.org/jeps/508">openjdk.org/jeps/508</a>
 */
final class Panels {
  /** Outputs of a panel. */
  static final int WIDTH = 2 * COUNT;

  /** Outputs of a pair of panels. */
  static final int PAIR = 2 * WIDTH;

  /** Rows that one call of {@link Encoding#eightRows} takes. */
  static final int EIGHT = 8;

  /** Up to this number of rows, eight rows at a time are faster without a tile. */
  private static final int MOST_WITHOUT_TILE = 11;

  /** From this number of rows on it pays to widen weights once: four rows share each load. */
  private static final int TILE_ROWS = 4;

  private final int pairs;
  private final Encoding encoding;

  private Panels(int pairs, Encoding encoding) {
    this.pairs = pairs;
    this.encoding = encoding;
  }

  /**
   * Packs matrices of equal width; their outputs follow each other.
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
   * Adds the products of a pair of panels to {@code y}: {@code y += x W^T}. Up to three rows, and
   * eight to eleven, read the weights as they are stored, eight rows together and the others each.
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

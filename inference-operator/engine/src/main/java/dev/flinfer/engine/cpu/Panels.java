package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Lanes.COUNT;
import static dev.flinfer.engine.cpu.MatMulKernel.WIDTH;
import static dev.flinfer.engine.cpu.Tile.DEPTH;

import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
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
  private final DType dtype;
  private final int outputs;
  private final int inputs;
  private final MemorySegment weights; // (panels, inputs, WIDTH), or codes: (panels, ints, COUNT)
  private final MemorySegment scales; // (panels, groups, WIDTH), for codes
  private final MemorySegment minimums; // as scales, where the type has them

  private Panels(DType dtype, int outputs, int inputs, Arena arena) {
    this.dtype = dtype;
    this.outputs = outputs;
    this.inputs = inputs;
    long bytes = dtype.isQuantized() ? ints(inputs) * COUNT * 4L : inputs * (long) width() * WIDTH;
    this.weights = arena.allocate(count() * bytes, 64);
    long scaleBytes = dtype.isQuantized() ? count() * groups(inputs) * WIDTH * scaleWidth() : 0;
    this.scales = arena.allocate(scaleBytes, 64);
    this.minimums = arena.allocate(dtype.hasMinimum() ? scaleBytes : 0, 64);
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
        panels.count(),
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

  /** Number of panels. */
  int count() {
    return Lanes.roundUp(outputs, WIDTH) / WIDTH;
  }

  int inputs() {
    return inputs;
  }

  /** Widens inputs {@code k} to {@code k + depth} of a panel; {@code k} is whole tiles. */
  void unpack(int panel, int k, int depth, Tile tile) {
    if (dtype.isQuantized()) {
      unpackCodes(panel, k, depth, tile);
      return;
    }
    long from = ((long) panel * inputs + k) * WIDTH;
    int count = depth * WIDTH;
    if (dtype == DType.F32) {
      MemorySegment.copy(weights, ValueLayout.JAVA_FLOAT, from * 4, tile.weights, 0, count);
      return;
    }
    // Copied first, because C2 vectorises the widening of an array and not that of a segment.
    MemorySegment.copy(weights, ValueLayout.JAVA_SHORT, from * 2, tile.bits, 0, count);
    if (dtype == DType.F16) {
      UnpackKernel.f16(tile.bits, tile.weights, count);
    } else {
      UnpackKernel.bf16(tile.bits, tile.weights, count);
    }
  }

  private void unpackCodes(int panel, int k, int depth, Tile tile) {
    int groups = groups(depth) * WIDTH;
    long scalesAt = scalesAt(panel, k);
    unpackScales(scales, scalesAt, groups, tile, tile.scales);
    MemorySegment.copy(
        weights, ValueLayout.JAVA_INT, intsAt(panel, k) * 4, tile.packed, 0, ints(depth) * COUNT);
    boolean nibbles = dtype.bits() == 4;
    if (dtype.hasMinimum()) {
      unpackScales(minimums, scalesAt, groups, tile, tile.minimums);
    } else if (nibbles) {
      for (int i = 0; i < groups; i++) {
        tile.minimums[i] = -PanelPacker.NIBBLE_ZERO * tile.scales[i];
      }
    } else {
      Arrays.fill(tile.minimums, 0, groups, 0);
    }
    int group = dtype.groupSize();
    if (nibbles) {
      UnpackKernel.nibbles(tile.packed, tile.scales, tile.minimums, group, depth, tile.weights);
    } else {
      UnpackKernel.bytes(tile.packed, tile.scales, tile.minimums, group, depth, tile.weights);
    }
  }

  private void unpackScales(MemorySegment from, long at, int count, Tile tile, float[] to) {
    if (scaleWidth() == 4) {
      MemorySegment.copy(from, ValueLayout.JAVA_FLOAT, at * 4, to, 0, count);
    } else {
      MemorySegment.copy(from, ValueLayout.JAVA_SHORT, at * 2, tile.bits, 0, count);
      UnpackKernel.f16(tile.bits, to, count);
    }
  }

  private void packPanel(List<Tensor> parts, int panel, PanelPacker packer, Tile tile) {
    for (int k = 0; k < inputs; k += DEPTH) {
      int depth = Math.min(DEPTH, inputs - k);
      packer.clear();
      int first = 0; // output of the part's first row
      for (Tensor part : parts) {
        int rows = Math.toIntExact(part.shape().get(0));
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
      storeScales(tile.scales, groups, scales, scalesAt(panel, k));
      if (dtype.hasMinimum()) {
        storeScales(tile.minimums, groups, minimums, scalesAt(panel, k));
      }
      MemorySegment.copy(
          tile.packed, 0, weights, ValueLayout.JAVA_INT, intsAt(panel, k) * 4, ints(depth) * COUNT);
      return;
    }
    long to = ((long) panel * inputs + k) * WIDTH;
    if (dtype == DType.F32) {
      MemorySegment.copy(tile.weights, 0, weights, ValueLayout.JAVA_FLOAT, to * 4, depth * WIDTH);
    } else {
      MemorySegment.copy(tile.bits, 0, weights, ValueLayout.JAVA_SHORT, to * 2, depth * WIDTH);
    }
  }

  private void storeScales(float[] from, int count, MemorySegment to, long at) {
    for (int i = 0; i < count; i++) {
      if (scaleWidth() == 4) {
        to.setAtIndex(ValueLayout.JAVA_FLOAT, at + i, from[i]);
      } else {
        to.setAtIndex(ValueLayout.JAVA_SHORT, at + i, Float.floatToFloat16(from[i]));
      }
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

  /** Ints for so many inputs in a lane. */
  private int ints(int depth) {
    return dtype.bits() == 4 ? (depth + 1) / 2 : depth;
  }

  private long intsAt(int panel, int k) {
    return ((long) panel * ints(inputs) + ints(k)) * COUNT;
  }

  private long scalesAt(int panel, int k) {
    return ((long) panel * groups(inputs) + k / dtype.groupSize()) * WIDTH;
  }
}

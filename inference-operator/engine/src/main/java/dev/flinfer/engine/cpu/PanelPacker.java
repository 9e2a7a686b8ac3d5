package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.MatMulKernel.WIDTH;

import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.QuantizedRun;
import dev.flinfer.engine.weights.Quantizer;
import dev.flinfer.engine.weights.Tensor;
import java.util.Arrays;

/**
 * Brings stretches of rows into the order of a panel, converted where the type they are run in is
 * another than the one they are stored in. Not thread-safe.
 */
final class PanelPacker {
  /** What a nibble is above the code in a type without minimum. */
  static final int NIBBLE_ZERO = 8;

  private final DType target;
  private final Tile tile;
  private final float[] values = new float[Tile.DEPTH];
  private final short[] bits = new short[Tile.DEPTH];
  private final byte[] codes = new byte[Tile.DEPTH];
  private QuantizedRun run; // of the type of target

  PanelPacker(DType target, Tile tile) {
    this.target = target;
    this.tile = tile;
    if (target.isQuantized()) {
      run = new QuantizedRun(target, Tile.DEPTH);
    }
  }

  /** Outputs that are not there stay 0. */
  void clear() {
    Arrays.fill(tile.bits, (short) 0);
    Arrays.fill(tile.packed, (byte) 0);
    Arrays.fill(tile.scales, 0);
    Arrays.fill(tile.ownMinimums, 0);
    Arrays.fill(tile.weights, 0);
  }

  /**
   * Puts {@code depth} elements of a tensor, from {@code from} on, into a lane of the tile.
   *
   * @throws dev.flinfer.engine.weights.WeightFileException if one is not finite
   */
  void put(Tensor tensor, long from, int depth, int lane) {
    boolean finite =
        switch (target) {
          case F32 -> putFloats(tensor, from, depth, lane);
          case F16, BF16 -> putBits(tensor, from, depth, lane);
          default -> putCodes(tensor, from, depth, lane);
        };
    if (!finite) {
      throw tensor.notFinite(from);
    }
  }

  private void widen(Tensor tensor, long from, int depth) {
    if (tensor.dtype() == DType.F16) {
      tensor.copyBits(from, bits, 0, depth);
      for (int i = 0; i < depth; i++) {
        values[i] = Float.float16ToFloat(bits[i]);
      }
    } else {
      tensor.copyTo(from, values, 0, depth);
    }
  }

  private boolean putFloats(Tensor tensor, long from, int depth, int lane) {
    widen(tensor, from, depth);
    boolean finite = true;
    for (int k = 0; k < depth; k++) {
      finite &= Float.isFinite(values[k]);
      tile.weights[k * WIDTH + lane] = values[k];
    }
    return finite;
  }

  private boolean putBits(Tensor tensor, long from, int depth, int lane) {
    if (tensor.dtype() == target) {
      tensor.copyBits(from, bits, 0, depth);
    } else {
      widen(tensor, from, depth);
      for (int k = 0; k < depth; k++) {
        bits[k] = Quantizer.bf16(values[k]);
      }
    }
    int exponent = target == DType.F16 ? 0x7C00 : 0x7F80;
    boolean finite = true;
    for (int k = 0; k < depth; k++) {
      finite &= (bits[k] & exponent) != exponent;
      tile.bits[k * WIDTH + lane] = bits[k];
    }
    return finite;
  }

  private boolean putCodes(Tensor tensor, long from, int depth, int lane) {
    int group = target.groupSize();
    boolean stored = tensor.dtype() == target;
    if (stored) {
      run.read(tensor, from, depth);
    } else {
      widen(tensor, from, depth);
    }
    boolean finite = true;
    for (int first = 0, g = 0; first < depth; first += group, g++) {
      int at = g * WIDTH + lane;
      tile.scales[at] = stored ? run.scales()[g] : quantize(first, Math.min(depth, first + group));
      tile.ownMinimums[at] = run.minimums()[g];
      finite &= Float.isFinite(tile.scales[at]) && Float.isFinite(tile.ownMinimums[at]);
    }
    byte[] source = stored ? run.codes() : codes;
    if (target.bits() == 4) {
      putNibbles(source, depth, lane);
    } else {
      putBytes(source, depth, lane);
    }
    return finite;
  }

  private float quantize(int from, int to) {
    return switch (target) {
      case Q8_0 -> Quantizer.q8(values, from, to, codes);
      case Q4_0 -> Quantizer.q4(values, from, to, codes);
      default -> throw new IllegalArgumentException("Nothing is converted to " + target);
    };
  }

  private void putBytes(byte[] source, int depth, int lane) {
    for (int k = 0; k < depth; k++) {
      tile.packed[k * WIDTH + lane] = source[k];
    }
  }

  private void putNibbles(byte[] source, int depth, int lane) {
    int zero = target.hasMinimum() ? 0 : NIBBLE_ZERO;
    for (int k = 0; k < depth; k += 2) {
      int pair = source[k] + zero;
      if (k + 1 < depth) {
        pair |= (source[k + 1] + zero) << 4;
      }
      tile.packed[k / 2 * WIDTH + lane] = (byte) pair;
    }
  }
}

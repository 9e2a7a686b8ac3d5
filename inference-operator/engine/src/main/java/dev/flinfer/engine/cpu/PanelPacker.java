package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Panels.WIDTH;
import static dev.flinfer.engine.cpu.Tile.DEPTH;

import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.QuantizedRun;
import dev.flinfer.engine.weights.Quantizer;
import dev.flinfer.engine.weights.Tensor;
import java.util.Arrays;
import java.util.List;

/**
 * Reorders matrices into panels, a tile at a time: it passes the encoding ranges of rows in
 * sequence; the encoding writes each into a lane of the tile and stores the tile when it is full.
 * Converts weights if the type they run in is not the one they are stored in. Not thread-safe.
 */
final class PanelPacker {
  private final List<Tensor> parts;
  private final int[] rows; // of the parts
  private final Encoding encoding;

  // The range of a row.
  private Tensor tensor;
  private long from;
  private int depth;
  private QuantizedRun run; // of the encoding's type
  private final float[] values = new float[DEPTH];
  private final short[] bits = new short[DEPTH];
  final byte[] ownCodes = new byte[DEPTH];
  final float[] ownScales = new float[DEPTH / Tile.LEAST_GROUP];

  // The tile; an encoding uses the arrays that it needs.
  final float[] floats = new float[DEPTH * WIDTH]; // (depth, WIDTH)
  final short[] halves = new short[DEPTH * WIDTH]; // (depth, WIDTH)
  final byte[] packed = new byte[DEPTH * WIDTH]; // (depth, WIDTH) or (depth / 2, WIDTH)
  final float[] scales = new float[DEPTH / Tile.LEAST_GROUP * WIDTH]; // (groups, WIDTH)
  final float[] minimums = new float[DEPTH / Tile.LEAST_GROUP * WIDTH]; // (groups, WIDTH)

  /**
   * Packs matrices of equal width; their outputs follow each other.
   *
   * @param parts (outputs, inputs) each
   */
  PanelPacker(List<Tensor> parts, Encoding encoding) {
    this.parts = parts;
    this.rows = parts.stream().mapToInt(part -> Math.toIntExact(part.shape().get(0))).toArray();
    this.encoding = encoding;
  }

  /**
   * Packs and stores a panel.
   *
   * @throws dev.flinfer.engine.weights.WeightFileException if a weight is not finite
   */
  void pack(int panel) {
    for (int k = 0; k < encoding.inputs(); k += DEPTH) {
      depth = encoding.depth(k);
      clear();
      int first = 0; // output of the part's first row
      for (int i = 0; i < rows.length; i++) {
        tensor = parts.get(i);
        int end = Math.min((panel + 1) * WIDTH, first + rows[i]);
        for (int output = Math.max(panel * WIDTH, first); output < end; output++) {
          from = (output - first) * (long) encoding.inputs() + k;
          if (!encoding.pack(this, output - panel * WIDTH)) {
            throw tensor.notFinite(from);
          }
        }
        first += rows[i];
      }
      encoding.store(this, panel, k);
    }
  }

  /** Missing outputs stay 0. */
  private void clear() {
    Arrays.fill(floats, 0);
    Arrays.fill(halves, (short) 0);
    Arrays.fill(packed, (byte) 0);
    Arrays.fill(scales, 0);
    Arrays.fill(minimums, 0);
  }

  /** Inputs of the range and of the tile. */
  int depth() {
    return depth;
  }

  /** Whether the range needs no conversion. */
  boolean isStoredIn(DType dtype) {
    return tensor.dtype() == dtype;
  }

  /** The range in floats. */
  float[] widened() {
    if (tensor.dtype() == DType.F16) {
      tensor.copyBits(from, bits, 0, depth);
      for (int i = 0; i < depth; i++) {
        values[i] = Float.float16ToFloat(bits[i]);
      }
    } else {
      tensor.copyTo(from, values, 0, depth);
    }
    return values;
  }

  /** The range in a 16-bit type: the one it is stored in, or BF16. */
  short[] bits(DType dtype) {
    if (isStoredIn(dtype)) {
      tensor.copyBits(from, bits, 0, depth);
    } else {
      widened();
      for (int k = 0; k < depth; k++) {
        bits[k] = Quantizer.bf16(values[k]);
      }
    }
    return bits;
  }

  /** The range as it is stored, in codes. */
  QuantizedRun run() {
    if (run == null) {
      run = new QuantizedRun(tensor.dtype(), DEPTH);
    }
    run.read(tensor, from, depth);
    return run;
  }
}

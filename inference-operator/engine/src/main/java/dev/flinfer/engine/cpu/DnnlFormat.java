package dev.flinfer.engine.cpu;

import java.lang.foreign.MemorySegment;
import java.util.List;

/** The number format of a product: how floats are encoded, and how its sums become floats. */
interface DnnlFormat {

  /** The name for display. */
  String name();

  /** oneDNN's type of the weights and of the inputs. */
  int type();

  /** Bytes of one weight or input. */
  int bytes();

  /** oneDNN's type of the sums, which take 4 bytes. */
  int sumType();

  /** The kernels whose bits, as measured, do not depend on the number of rows. */
  List<String> kernels();

  /** Whether inputs of different origin need separate scales, and so separate products. */
  boolean scalesInputs();

  /**
   * Encodes {@code count} values.
   *
   * @return the factor by which the codes must be multiplied
   */
  float encode(float[] from, int at, int count, MemorySegment to, long toAt);

  /**
   * Converts a row of a slice's sums to outputs. The formats' loops are alike but for how a sum
   * becomes a float: C2 does not inline a callback there.
   *
   * @param sumsAt where the row begins, in bytes
   * @param scale the scale that {@link #encode} returned for the row
   * @param yAt where the slice begins in the row of {@code y}
   */
  void decode(
      MemorySegment sums,
      long sumsAt,
      float scale,
      Slice slice,
      float[] y,
      int yAt,
      Matrix.Outputs outputs);

  /**
   * A range of a matrix's outputs.
   *
   * @param first the first output
   * @param scales (outputs of the matrix) what {@link #encode} returned for their weights
   * @param bias (outputs of the matrix)
   */
  record Slice(int first, int width, float[] scales, float[] bias) {}
}

package dev.flinfer.engine.cpu;

import java.lang.foreign.MemorySegment;
import java.util.List;

/** The numbers of a product: how floats become its weights and inputs, and its sums floats. */
interface DnnlFormat {

  /** For people to read. */
  String name();

  /** oneDNN's type of the weights and of the inputs. */
  int type();

  /** Bytes of one of them. */
  int bytes();

  /** oneDNN's type of the sums, which take 4 bytes. */
  int sumType();

  /** The kernels for which it was measured that the number of rows changes no bits. */
  List<String> kernels();

  /** Whether inputs of different origin need scales of their own, and so products of their own. */
  boolean scalesInputs();

  /**
   * Encodes {@code count} numbers.
   *
   * @return what the codes are to be multiplied by
   */
  float encode(float[] from, int at, int count, MemorySegment to, long toAt);

  /**
   * Turns a row of a slice's sums into outputs.
   *
   * @param sumsAt where the row begins, in bytes
   * @param scale the row's, as {@link #encode} returned it
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
   * Some outputs of a matrix.
   *
   * @param first the first of them
   * @param scales (outputs of the matrix) what {@link #encode} returned for their weights
   * @param bias (outputs of the matrix)
   */
  record Slice(int first, int width, float[] scales, float[] bias) {}
}

package dev.flinfer.engine.cpu;

/**
 * A weight matrix and its bias, or several combined, in the layout of the library that multiplies.
 */
interface Matrix {

  /** What a product does with the existing outputs. */
  enum Outputs {
    /** {@code y = x W^T + bias}. */
    REPLACED,
    /** {@code y += x W^T + bias}. */
    ADDED_TO
  }

  /** Length of a row of outputs: whole panels. */
  int stride();

  /**
   * Multiplies all rows. A row's bits depend neither on the other rows and their number nor on the
   * number of threads.
   *
   * @param o {@code x}: the first inputs of each row are used; {@code yStride} is at least {@link
   *     #stride()}
   */
  void multiply(Operands o, Outputs outputs, WorkerTeam team);
}

package dev.flinfer.engine.cpu;

/** A weight matrix and its bias, or several put together, in the layout of who multiplies. */
interface Matrix {

  /** What a product does with the outputs that are there. */
  enum Outputs {
    /** {@code y = x W^T + bias}. */
    REPLACED,
    /** {@code y += x W^T + bias}. */
    ADDED_TO
  }

  /** Length of a row of outputs: whole panels. */
  int stride();

  /**
   * Multiplies all rows. A row's bits do not depend on the others, on how many there are or on the
   * number of threads.
   *
   * @param o {@code x}: of a row as many count as there are inputs; {@code yStride} is at least
   *     {@link #stride()}
   */
  void multiply(Operands o, Outputs outputs, WorkerTeam team);
}

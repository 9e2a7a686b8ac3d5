package dev.flinfer.engine.cpu;

/** A weight matrix and its bias, or several put together, in the layout of who multiplies. */
interface Matrix {

  /** Length of a row of outputs: whole panels. */
  int stride();

  /**
   * {@code y = x W^T + bias}, or {@code y += x W^T + bias}. A row's bits do not depend on the
   * others, on how many there are or on the number of threads.
   *
   * @param o {@code x}: of a row as many count as there are inputs; {@code yStride} is at least
   *     {@link #stride()}
   * @param add to what {@code y} holds
   */
  void multiply(Operands o, boolean add, WorkerTeam team);
}

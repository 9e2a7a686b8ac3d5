package dev.flinfer.tornado;

import dev.flinfer.engine.device.DeviceInfo;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Decides which kernel multiplies on which kind of device, and how large work-groups are. Local
 * memory and a work-group for a few outputs are fast on a GPU but slow on a CPU.
 */
enum MatMuls {
  CPU,
  GPU;

  /**
   * A product, {@code y = x W^T + bias} or {@code y += ...}.
   *
   * @param control holds the number of rows
   * @param layer cell 0 holds the layer
   * @param x (rows, inputs)
   * @param y (rows, outputs)
   */
  record Product(IntArray control, IntArray layer, FloatArray x, FloatArray y, boolean add) {}

  static MatMuls of(DeviceInfo.Kind kind) {
    return kind == DeviceInfo.Kind.CPU ? CPU : GPU;
  }

  /** Rows that one line of threads computes. */
  int rows() {
    return this == CPU ? CpuMatMulKernel.ROWS : Shape.TILE;
  }

  /** Threads of a work-group. */
  int local() {
    return this == CPU ? 1 : GpuMatMulKernel.THREADS;
  }

  /** Threads of a work-group if each computes one element: few for a CPU, eight warps for a GPU. */
  int elementwise() {
    return this == CPU ? Shape.PANEL : 256;
  }

  /** Threads in a line. */
  int threads(DeviceMatrix matrix) {
    return this == CPU
        ? matrix.outputs() / CpuMatMulKernel.WIDTH
        : matrix.outputs() / Shape.PANEL * GpuMatMulKernel.THREADS;
  }

  void add(
      TaskGraph graph, String task, Product product, DeviceMatrix matrix, KernelContext context) {
    PanelWeights weights = matrix.panels();
    graph.task(
        task,
        this == CPU ? CpuMatMulKernel::multiply : GpuMatMulKernel::multiply,
        context,
        product.control,
        product.layer,
        product.x,
        weights.floats(),
        weights.halves(),
        weights.codes(),
        matrix.bias(),
        product.y,
        weights.type(),
        matrix.inputs(),
        matrix.outputs(),
        product.add ? 1 : 0);
  }
}

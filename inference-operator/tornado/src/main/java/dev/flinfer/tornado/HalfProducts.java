package dev.flinfer.tornado;

import dev.flinfer.engine.device.DeviceInfo;
import java.io.File;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.common.Access;
import uk.ac.manchester.tornado.api.common.LibraryTaskDescriptor;
import uk.ac.manchester.tornado.api.types.HalfFloat;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Products of fp16 weights on tensor cores: a kernel rounds the inputs to fp16 and puts the bias
 * into the outputs, and cuBLAS multiplies and adds in fp32. cuBLAS gets the same number of rows
 * each time, used or not, because it chooses its summation order by the sizes, and a row's bits
 * must not depend on the number of rows.
 *
 * <p>cuBLAS reads an array from its start, so each layer has its own array, and a graph that names
 * it cannot be run again for another layer.
 */
final class HalfProducts {
  private static final String LIBRARY = "nvidia/cublas";
  private static final String FUNCTION = "cublasGemmExFP16FP32";
  private static final int TRANSPOSED = 1; // CUBLAS_OP_T
  private static final int NOT_TRANSPOSED = 0; // CUBLAS_OP_N
  private static final int OUTPUT = 11; // index of the outputs among the arguments

  private HalfProducts() {}

  /** Whether the device and the SDK have cuBLAS. */
  static boolean runOn(DeviceInfo info) {
    String library = System.mapLibraryName("tornado-cublas");
    return info.id().startsWith("cuda:")
        && Stream.of(
                ManagementFactory.getRuntimeMXBean().getLibraryPath().split(File.pathSeparator))
            .anyMatch(directory -> Files.exists(Path.of(directory, library)));
  }

  /** Threads of the kernel per row. */
  static int threads(DeviceMatrix matrix) {
    return Math.max(matrix.inputs(), matrix.outputs());
  }

  /**
   * Adds the two tasks, {@code NAME-prepare} and {@code NAME}.
   *
   * @param weights (outputs, inputs), those of the layer
   * @param half (rows, inputs) scratch space
   * @param rows number of rows that are multiplied, used or not
   */
  static void add(
      TaskGraph graph,
      String task,
      MatMuls.Product product,
      DeviceMatrix matrix,
      HalfFloatArray weights,
      HalfFloatArray half,
      int rows,
      KernelContext context) {
    graph.task(
        prepareTask(task),
        HalfProducts::prepare,
        context,
        product.control(),
        product.layer(),
        product.x(),
        half,
        matrix.bias(),
        product.y(),
        matrix.inputs(),
        matrix.outputs(),
        product.add() ? 1 : 0);
    // Row-major y = x W^T is column-major y = W^T x: m outputs, n rows, k inputs.
    Object[] arguments = {
      TRANSPOSED,
      NOT_TRANSPOSED,
      matrix.outputs(),
      rows,
      matrix.inputs(),
      1f,
      weights,
      matrix.inputs(),
      half,
      matrix.inputs(),
      1f,
      product.y(),
      matrix.outputs()
    };
    graph.libraryTask(task, HalfProducts::describe, arguments);
  }

  static String prepareTask(String task) {
    return task + "-prepare";
  }

  private static LibraryTaskDescriptor describe(Object[] arguments) {
    Access[] access = new Access[arguments.length];
    Arrays.fill(access, Access.READ_ONLY);
    access[OUTPUT] = Access.READ_WRITE;
    return new LibraryTaskDescriptor()
        .withLibrary(LIBRARY)
        .withFunction(FUNCTION)
        .withParameters(arguments)
        .withAccess(access);
  }

  /**
   * Rounds the inputs and adds the bias; one thread per input and output of a row.
   *
   * @param control holds the number of rows
   * @param layer cell 0 holds the layer
   * @param x (rows, inputs), like {@code half}
   * @param bias (num_layers, outputs)
   * @param y (rows, outputs)
   * @param add 1 to add the bias to the contents of {@code y}, 0 to overwrite them
   */
  static void prepare(
      KernelContext context,
      IntArray control,
      IntArray layer,
      FloatArray x,
      HalfFloatArray half,
      FloatArray bias,
      FloatArray y,
      int inputs,
      int outputs,
      int add) {
    int i = context.globalIdx;
    int row = context.globalIdy;
    if (row < control.get(StepControl.ROWS)) {
      if (i < inputs) {
        half.set(row * inputs + i, new HalfFloat(x.get(row * inputs + i)));
      }
      if (i < outputs) {
        CpuMatMulKernel.store(y, row * outputs + i, bias.get(layer.get(0) * outputs + i), add);
      }
    }
  }
}

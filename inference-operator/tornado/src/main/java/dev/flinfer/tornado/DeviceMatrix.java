package dev.flinfer.tornado;

import java.util.ArrayList;
import java.util.List;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.Int8Array;

/**
 * One kind of weight matrix of all layers, and its bias, in the order of the kernels: panels of 32
 * outputs.
 *
 * @param numbers (num_layers, outputs / 32, inputs, 32) in fp32 or fp16, else null
 * @param codes (num_layers, outputs / 32, inputs, 32) in Q8_0, else null
 * @param scales (num_layers, outputs / 32, inputs / 32, 32) of the codes
 * @param halfRows (num_layers) each (outputs, inputs), in fp16 for cuBLAS, else null; see {@link
 *     HalfProducts}
 * @param bias (num_layers, outputs)
 * @param inputs padded to whole groups of 32, as the rows of activations are
 * @param outputs padded to whole panels
 */
record DeviceMatrix(
    FloatOrHalfArray numbers,
    Int8Array codes,
    FloatArray scales,
    List<HalfFloatArray> halfRows,
    FloatArray bias,
    int inputs,
    int outputs) {

  /** Zeros, to be filled in. */
  static DeviceMatrix allocate(
      HostMemory memory, MatrixType type, int layers, int inputs, int outputs) {
    long elements = elements(layers, inputs, outputs);
    boolean quantized = type == MatrixType.Q8_0;
    FloatOrHalfArray numbers = null;
    List<HalfFloatArray> halfRows = null;
    if (type == MatrixType.F16_ROWS) {
      halfRows = new ArrayList<>();
      for (int i = 0; i < layers; i++) {
        halfRows.add(memory.halves(elements / layers));
      }
    } else if (!quantized) {
      numbers = FloatOrHalfArray.allocate(memory, elements, type == MatrixType.F16);
    }
    return new DeviceMatrix(
        numbers,
        quantized ? memory.bytes(elements) : null,
        quantized ? memory.floats(elements / Shape.PANEL) : null,
        halfRows,
        memory.floats((long) layers * outputs),
        inputs,
        outputs);
  }

  static long elements(int layers, int inputs, int outputs) {
    return (long) layers * inputs * outputs;
  }

  /** Elements of the largest array. */
  static long largest(MatrixType type, int layers, int inputs, int outputs) {
    return elements(type.layersOfAnArray(layers), inputs, outputs);
  }

  /** Bytes of weights, scales and bias. */
  static long bytes(MatrixType type, int layers, int inputs, int outputs) {
    long scales = type == MatrixType.Q8_0 ? elements(layers, inputs, outputs) / Shape.PANEL : 0;
    return elements(layers, inputs, outputs) * type.elementBytes()
        + (scales + (long) layers * outputs) * Float.BYTES;
  }

  boolean quantized() {
    return codes != null;
  }

  /** Whether cuBLAS multiplies. */
  boolean inHalfRows() {
    return halfRows != null;
  }

  /** What is copied to the device once, of all layers together. */
  Object[] arrays() {
    if (inHalfRows()) {
      return new Object[] {bias};
    }
    return quantized()
        ? new Object[] {codes, scales, bias}
        : new Object[] {numbers.floats(), numbers.halves(), bias};
  }
}

package dev.flinfer.tornado;

import java.util.ArrayList;
import java.util.List;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;

/**
 * One kind of weight matrix of all layers, and its bias, in the order that the kernels read.
 *
 * @param panels the weights in panels of 32 outputs, null if cuBLAS multiplies
 * @param halfRows (num_layers), each (outputs, inputs), in fp16 for cuBLAS, otherwise null; see
 *     {@link HalfProducts}
 * @param bias (num_layers, outputs)
 * @param inputs padded to full groups of 32, like the rows of activations
 * @param outputs padded to full panels
 */
record DeviceMatrix(
    PanelWeights panels, List<HalfFloatArray> halfRows, FloatArray bias, int inputs, int outputs) {

  /** Allocates matrices that are all zero, to be filled in. */
  static DeviceMatrix allocate(
      HostMemory memory, MatrixType type, int layers, int inputs, int outputs) {
    long elements = elements(layers, inputs, outputs);
    PanelWeights panels = null;
    List<HalfFloatArray> halfRows = null;
    if (type == MatrixType.F16_ROWS) {
      halfRows = new ArrayList<>();
      for (int i = 0; i < layers; i++) {
        halfRows.add(memory.halves(elements / layers));
      }
    } else {
      panels = PanelWeights.allocate(memory, type, elements);
    }
    return new DeviceMatrix(
        panels, halfRows, memory.floats((long) layers * outputs), inputs, outputs);
  }

  static long elements(int layers, int inputs, int outputs) {
    return (long) layers * inputs * outputs;
  }

  /** Elements of the largest array. */
  static long largest(MatrixType type, int layers, int inputs, int outputs) {
    return elements(type.layersPerArray(layers), inputs, outputs);
  }

  /** Bytes of weights, scales and bias. */
  static long bytes(MatrixType type, int layers, int inputs, int outputs) {
    long scales = type == MatrixType.Q8_0 ? elements(layers, inputs, outputs) / Shape.PANEL : 0;
    return elements(layers, inputs, outputs) * type.elementBytes()
        + (scales + (long) layers * outputs) * Float.BYTES;
  }

  boolean quantized() {
    return panels != null && panels.type() == PanelWeights.Q8_0;
  }

  /** Whether cuBLAS multiplies. */
  boolean inHalfRows() {
    return halfRows != null;
  }

  /** The arrays of all layers together, which are copied to the device once. */
  Object[] arrays() {
    if (inHalfRows()) {
      return new Object[] {bias};
    }
    return new Object[] {panels.floats(), panels.halves(), panels.codes(), bias};
  }
}

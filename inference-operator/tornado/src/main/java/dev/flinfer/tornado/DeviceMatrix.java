package dev.flinfer.tornado;

import dev.flinfer.engine.weights.DType;
import java.util.ArrayList;
import java.util.List;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.HalfFloatArray;
import uk.ac.manchester.tornado.api.types.arrays.Int8Array;

/**
 * One kind of weight matrix of all layers, and its bias, in the order of the kernels: panels of 32
 * outputs.
 *
 * @param floats (num_layers, outputs / 32, inputs, 32) in fp32, else null
 * @param codes (num_layers, outputs / 32, inputs, 32) in Q8_0, else null
 * @param scales (num_layers, outputs / 32, inputs / 32, 32) of the codes
 * @param halves (num_layers) each (outputs, inputs), in fp16, else null; see {@link HalfProducts}
 * @param bias (num_layers, outputs)
 * @param inputs padded to whole groups of 32, as the rows of activations are
 * @param outputs padded to whole panels
 */
record DeviceMatrix(
    FloatArray floats,
    Int8Array codes,
    FloatArray scales,
    List<HalfFloatArray> halves,
    FloatArray bias,
    int inputs,
    int outputs) {

  /** Zeros, to be filled in. */
  static DeviceMatrix allocate(HostMemory memory, DType type, int layers, int inputs, int outputs) {
    long elements = elements(layers, inputs, outputs);
    boolean quantized = type == DType.Q8_0;
    List<HalfFloatArray> halves = null;
    if (type == DType.F16) {
      halves = new ArrayList<>();
      for (int i = 0; i < layers; i++) {
        halves.add(memory.halves(elements / layers));
      }
    }
    return new DeviceMatrix(
        type == DType.F32 ? memory.floats(elements) : null,
        quantized ? memory.bytes(elements) : null,
        quantized ? memory.floats(elements / Shape.PANEL) : null,
        halves,
        memory.floats((long) layers * outputs),
        inputs,
        outputs);
  }

  static long elements(int layers, int inputs, int outputs) {
    return (long) layers * inputs * outputs;
  }

  /** Elements of the largest array. */
  static long largest(DType type, int layers, int inputs, int outputs) {
    return elements(type == DType.F16 ? 1 : layers, inputs, outputs);
  }

  /** Bytes of an element of the weights. */
  static int elementBytes(DType type) {
    return switch (type) {
      case Q8_0 -> 1;
      case F16 -> Short.BYTES;
      default -> Float.BYTES;
    };
  }

  /** Bytes of weights, scales and bias. */
  static long bytes(DType type, int layers, int inputs, int outputs) {
    long scales = type == DType.Q8_0 ? elements(layers, inputs, outputs) / Shape.PANEL : 0;
    return elements(layers, inputs, outputs) * elementBytes(type)
        + (scales + (long) layers * outputs) * Float.BYTES;
  }

  boolean quantized() {
    return codes != null;
  }

  boolean half() {
    return halves != null;
  }

  /** What is copied to the device once, of all layers together. */
  Object[] arrays() {
    if (half()) {
      return new Object[] {bias};
    }
    return quantized() ? new Object[] {codes, scales, bias} : new Object[] {floats, bias};
  }
}

package dev.flinfer.tornado;

import dev.flinfer.engine.weights.DType;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.Int8Array;

/**
 * One kind of weight matrix of all layers, and its bias, in the order of the kernels: panels of 32
 * outputs.
 *
 * @param floats (num_layers, outputs / 32, inputs, 32) in fp32; null if the codes are there
 * @param codes (num_layers, outputs / 32, inputs, 32) in Q8_0, else null
 * @param scales (num_layers, outputs / 32, inputs / 32, 32) of the codes
 * @param bias (num_layers, outputs)
 * @param inputs padded to whole groups of 32, as the rows of activations are
 * @param outputs padded to whole panels
 */
record DeviceMatrix(
    FloatArray floats,
    Int8Array codes,
    FloatArray scales,
    FloatArray bias,
    int inputs,
    int outputs) {

  /** Zeros, to be filled in. */
  static DeviceMatrix allocate(HostMemory memory, DType type, int layers, int inputs, int outputs) {
    long elements = elements(layers, inputs, outputs);
    boolean quantized = type == DType.Q8_0;
    return new DeviceMatrix(
        quantized ? null : memory.floats(elements),
        quantized ? memory.bytes(elements) : null,
        quantized ? memory.floats(elements / Shape.PANEL) : null,
        memory.floats((long) layers * outputs),
        inputs,
        outputs);
  }

  static long elements(int layers, int inputs, int outputs) {
    return (long) layers * inputs * outputs;
  }

  /** Bytes of the weights, without scales and bias. */
  static long weightBytes(DType type, int layers, int inputs, int outputs) {
    return elements(layers, inputs, outputs) * (type == DType.Q8_0 ? 1 : Float.BYTES);
  }

  /** Bytes of weights, scales and bias. */
  static long bytes(DType type, int layers, int inputs, int outputs) {
    long scales = type == DType.Q8_0 ? elements(layers, inputs, outputs) / Shape.PANEL : 0;
    return weightBytes(type, layers, inputs, outputs)
        + (scales + (long) layers * outputs) * Float.BYTES;
  }

  boolean quantized() {
    return codes != null;
  }

  /** What is copied to the device once. */
  Object[] arrays() {
    return quantized() ? new Object[] {codes, scales, bias} : new Object[] {floats, bias};
  }
}

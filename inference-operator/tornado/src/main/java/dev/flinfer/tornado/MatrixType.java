package dev.flinfer.tornado;

import dev.flinfer.engine.weights.DType;

/** How the matrices of a kind are stored on the device, which determines what multiplies them. */
enum MatrixType {
  /** Panels of 32 outputs, like {@link #F16} and {@link #Q8_0}, all layers in one array. */
  F32(Float.BYTES),
  F16(Short.BYTES),
  Q8_0(Byte.BYTES),
  /** Rows in fp16 for cuBLAS, one array per layer, see {@link HalfProducts}. */
  F16_ROWS(Short.BYTES);

  private final int elementBytes;

  MatrixType(int elementBytes) {
    this.elementBytes = elementBytes;
  }

  /**
   * @param type F32, F16 or Q8_0
   * @param cublas whether cuBLAS multiplies fp16 weights
   */
  static MatrixType of(DType type, boolean cublas) {
    return switch (type) {
      case F32 -> F32;
      case F16 -> cublas ? F16_ROWS : F16;
      case Q8_0 -> Q8_0;
      default ->
          throw new IllegalArgumentException("matrices on a TornadoVM device cannot be " + type);
    };
  }

  /** Bytes per weight, without scales. */
  int elementBytes() {
    return elementBytes;
  }

  /** Number of layers in one array. */
  int layersPerArray(int layers) {
    return this == F16_ROWS ? 1 : layers;
  }
}

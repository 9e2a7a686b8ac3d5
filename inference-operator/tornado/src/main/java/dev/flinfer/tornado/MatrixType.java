package dev.flinfer.tornado;

import dev.flinfer.engine.weights.DType;

/** How the matrices of a kind lie on the device, and so what multiplies them. */
enum MatrixType {
  /** Panels of 32 outputs, as {@link #F16} and {@link #Q8_0}, all layers in one array. */
  F32(Float.BYTES),
  F16(Short.BYTES),
  Q8_0(Byte.BYTES),
  /** Rows in fp16 for cuBLAS, each layer an array, see {@link HalfProducts}. */
  F16_ROWS(Short.BYTES);

  private final int elementBytes;

  MatrixType(int elementBytes) {
    this.elementBytes = elementBytes;
  }

  /**
   * @param type F32, F16 or Q8_0
   * @param cublas whether fp16 is left to cuBLAS
   */
  static MatrixType of(DType type, boolean cublas) {
    return switch (type) {
      case F32 -> F32;
      case F16 -> cublas ? F16_ROWS : F16;
      case Q8_0 -> Q8_0;
      default -> throw new IllegalArgumentException("no matrices of TornadoVM are " + type);
    };
  }

  /** Bytes of an element of the weights. */
  int elementBytes() {
    return elementBytes;
  }

  /** Layers of one array. */
  int layersOfAnArray(int layers) {
    return this == F16_ROWS ? 1 : layers;
  }
}

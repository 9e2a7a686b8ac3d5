package dev.flinfer.engine;

import dev.flinfer.engine.weights.DType;
import java.util.stream.Stream;

/** The values of {@link EngineOption#WEIGHTS}: the types in which weight matrices can run. */
public enum Weights {
  /** As stored, where the device supports it. */
  AUTO(null),
  F32(DType.F32),
  F16(DType.F16),
  BF16(DType.BF16),
  Q8_0(DType.Q8_0),
  Q4_0(DType.Q4_0),
  /** 8-bit integers for weights and activations. */
  W8A8(null);

  private final DType type;

  Weights(DType type) {
    this.type = type;
  }

  /** The tensor type; null for {@link #AUTO} and {@link #W8A8}. */
  public DType type() {
    return type;
  }

  /** Returns the constant for a tensor type, or {@link #AUTO} for null. */
  public static Weights of(DType type) {
    return Stream.of(values())
        .filter(weights -> weights.type == type)
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("matrices do not run in " + type));
  }
}

package dev.flinfer.engine.cpu;

import dev.flinfer.engine.model.PhiWeights.Affine;
import dev.flinfer.engine.weights.DType;
import java.lang.foreign.Arena;
import java.util.List;

/**
 * Products in Java: activations in fp32, weights in any type.
 *
 * @param weightType the type to run in, or null for the types they are stored in
 * @param arena where the weights are allocated
 */
record JavaProducts(DType weightType, Arena arena, WorkerTeam team) implements MatrixProducts {

  @Override
  public String name() {
    return "%d-bit vectors".formatted(Lanes.COUNT * Float.SIZE);
  }

  @Override
  public Matrix stacked(List<Affine> matrices) {
    return PackedMatrix.stacked(matrices, weightType, arena, team);
  }

  @Override
  public Matrix sideBySide(List<Affine> matrices) {
    return PackedMatrix.sideBySide(matrices, weightType, arena, team);
  }

  @Override
  public void close() {}
}

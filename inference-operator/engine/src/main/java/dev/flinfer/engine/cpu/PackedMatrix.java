package dev.flinfer.engine.cpu;

import static dev.flinfer.engine.cpu.Panels.PAIR;

import dev.flinfer.engine.model.PhiWeights.Affine;
import dev.flinfer.engine.weights.DType;
import dev.flinfer.engine.weights.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/**
 * A weight matrix and its bias, combined from matrices that share their input (stacked by outputs:
 * q, k, v and fc1) or that are added up (side by side by inputs: dense and fc2), which makes two
 * products of six. The parts keep their types: files of mixed types are common.
 */
final class PackedMatrix implements Matrix {
  private final int outputs;
  private final List<Part> parts = new ArrayList<>();
  private final float[] bias; // (outputs in whole pairs)

  /** Panels and their position in the matrix, in pairs. */
  private record Part(Panels panels, int firstPair, int firstInput) {
    boolean covers(int pair) {
      return pair >= firstPair && pair < firstPair + panels.pairs();
    }
  }

  private PackedMatrix(int outputs) {
    this.outputs = outputs;
    this.bias = new float[stride()];
  }

  /**
   * Stacks matrices with the same input: their outputs follow each other.
   *
   * @param weightType the type to run in, or null for the types they are stored in
   */
  static PackedMatrix stacked(
      List<Affine> matrices, DType weightType, Arena arena, WorkerTeam team) {
    List<Tensor> weights = matrices.stream().map(Affine::weight).toList();
    PackedMatrix packed = new PackedMatrix(weights.stream().mapToInt(PackedMatrix::rows).sum());
    int output = 0;
    boolean wholePairs = true;
    for (Affine matrix : matrices) {
      wholePairs &= output % PAIR == 0;
      packed.addBias(matrix, output);
      output += rows(matrix.weight());
    }
    if (!wholePairs) {
      DType type = weightType == null ? common(weights) : weightType;
      packed.parts.add(new Part(Panels.pack(weights, type, arena, team), 0, 0));
      return packed;
    }
    int pair = 0;
    for (Tensor weight : weights) {
      Panels panels = Panels.pack(List.of(weight), type(weight, weightType), arena, team);
      packed.parts.add(new Part(panels, pair, 0));
      pair += panels.pairs();
    }
    return packed;
  }

  /** Places matrices side by side: their inputs follow each other, their outputs are added. */
  static PackedMatrix sideBySide(
      List<Affine> matrices, DType weightType, Arena arena, WorkerTeam team) {
    PackedMatrix packed = new PackedMatrix(rows(matrices.get(0).weight()));
    int input = 0;
    for (Affine matrix : matrices) {
      Tensor weight = matrix.weight();
      Panels panels = Panels.pack(List.of(weight), type(weight, weightType), arena, team);
      packed.addBias(matrix, 0);
      packed.parts.add(new Part(panels, 0, input));
      input += panels.inputs();
    }
    return packed;
  }

  private static DType type(Tensor weight, DType weightType) {
    return weightType == null ? weight.dtype() : weightType;
  }

  /** The common type, or else F32: a pair has one type. Only needed for odd dimensions. */
  private static DType common(List<Tensor> weights) {
    DType first = weights.get(0).dtype();
    return weights.stream().allMatch(w -> w.dtype() == first) ? first : DType.F32;
  }

  private static int rows(Tensor weight) {
    return Math.toIntExact(weight.shape().get(0));
  }

  private void addBias(Affine matrix, int firstOutput) {
    float[] added = matrix.bias().toFloats();
    for (int i = 0; i < added.length; i++) {
      bias[firstOutput + i] += added[i];
    }
  }

  @Override
  public int stride() {
    return Lanes.roundUp(outputs, PAIR);
  }

  @Override
  public void multiply(Operands o, Outputs outputs, WorkerTeam team) {
    team.run(
        stride() / PAIR,
        1,
        (from, to, worker) -> {
          Tile tile = Tile.LOCAL.get();
          for (int pair = from; pair < to; pair++) {
            start(pair, o, outputs);
            for (Part part : parts) {
              if (part.covers(pair)) {
                part.panels.multiply(pair - part.firstPair, o, part.firstInput, pair * PAIR, tile);
              }
            }
          }
        });
  }

  private void start(int pair, Operands o, Outputs outputs) {
    float[] y = o.y();
    int first = pair * PAIR;
    for (int row = 0; row < o.rows(); row++) {
      int at = row * o.yStride() + first;
      switch (outputs) {
        case REPLACED -> System.arraycopy(bias, first, y, at, PAIR);
        case ADDED_TO -> {
          for (int i = 0; i < PAIR; i++) {
            y[at + i] += bias[first + i];
          }
        }
      }
    }
  }
}
